//! What the gateway itself refuses, in the client's dialect: before the first byte as a whole answer, after it as the
//! last thing in the stream.

use bytes::Bytes;
use fault::Fault;

use crate::{Dialect, Framing};

/// A refusal of the gateway's own. Its message is for the caller: no key, URL, host, internal name or SQL.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// What it is called on every face.
    pub fault: Fault,
    /// What is wrong and what would be right, in one sentence.
    pub message: &'a str,
    /// The request's id, which Anthropic bodies carry.
    pub request_id: &'a str,
}

/// A refusal as one whole HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// `content-type` of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl Refusal<'_> {
    /// The whole answer, for a call that has not been answered yet.
    pub fn render(&self, _dialect: Dialect, _framing: Framing) -> Rendered {
        Rendered { status: self.fault.http(), content_type: "application/json", body: Bytes::new() }
    }

    /// The last frame of an answer that has begun; after it the transfer is aborted. `first` says that no element of a
    /// JSON array was relayed yet.
    pub fn frame(&self, _dialect: Dialect, _framing: Framing, _first: bool) -> Bytes {
        Bytes::new()
    }
}
