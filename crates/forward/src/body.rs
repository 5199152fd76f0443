//! Bodies that are passed on frame by frame.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full, combinators::UnsyncBoxBody};

use crate::Limit;

/// A request's or an answer's body. Nothing is read ahead of demand: who does not poll stalls the sender.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body did not come to its end. Never holds a library's error text: those print URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The transport broke: reset, closed early, malformed framing.
    #[error("the connection broke before the body was complete: {0}")]
    Broken(&'static str),
    /// A limit on time ran out between two frames.
    #[error("nothing came for longer than the {0} limit allows")]
    TimedOut(Limit),
    /// The body grew beyond a limit on size.
    #[error("the body is larger than {max} bytes")]
    TooLarge {
        /// The limit, in bytes.
        max: u64,
    },
    /// The gateway is shutting down and the time for draining is over.
    #[error("the gateway is shutting down")]
    Draining,
}

/// A body without a byte.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body of one frame.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
