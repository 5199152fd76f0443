//! What every home of a forwarder keeps: one suite for the forwarder in this process and for the one behind a wire.
//!
//! A home is a place for a [`Forward`] and the way there. The suite puts fakes into it and calls them through it; what
//! a fake says, and what it sees of its caller, must be as if the two stood side by side.
//!
//! ```ignore
//! forward::suite!(over_a_socket, OverASocket);
//! ```
//!
//! makes one `#[tokio::test]` of each promise, in a module `over_a_socket`; `OverASocket` is a value that is a [`Home`].
//! To add a promise: a function in one of the modules here, and its name in [`suite!`](crate::suite!).

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "these are tests, run by other crates")]

mod bodies;
mod cancelling;
mod errors;
mod fakes;
mod heads;
mod pressure;

use std::{future::Future, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use dialect::{Framing, Operation, Version};
use http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, channel::Channel};
use names::{EndpointName, MappingId, RequestId};

use crate::{Answer, Body, BodyError, Call, Forward, ForwardError, Head, Limits};

pub use bodies::*;
pub use cancelling::*;
pub use errors::*;
pub use heads::*;
pub use pressure::*;

/// A place for a forwarder, and the way there.
#[async_trait::async_trait]
pub trait Home: Send + Sync {
    /// Puts `forwarder` there. What is returned calls it, and holds whatever must live as long as the way does.
    async fn house(&self, forwarder: Arc<dyn Forward>) -> Arc<dyn Forward>;
}

/// Makes one `#[tokio::test]` of each promise, in a module of this name, for a value that is a [`Home`].
#[macro_export]
macro_rules! suite {
    ($name:ident, $home:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "a home may be named by its whole path")]
            use super::*;
            $crate::suite!(@each $home;
                the_whole_head_arrives,
                status_and_headers_come_before_the_body,
                every_status_is_an_answer,
                large_headers_arrive,
                frames_pass_as_they_come,
                an_answer_streams_while_its_request_does,
                bytes_pass_untouched_in_any_frames,
                empty_bodies_end,
                trailers_do_no_harm,
                an_answer_need_not_wait_for_the_request,
                calls_do_not_mix,
                errors_arrive_as_they_are,
                a_broken_answer_keeps_its_reason,
                a_broken_request_never_looks_complete,
                a_dropped_call_is_dropped_there,
                a_dropped_upload_is_dropped_there,
                a_dropped_answer_is_dropped_there,
                a_slow_reader_slows_the_answer,
                a_slow_forwarder_slows_the_request,
            );
        }
    };
    (@each $home:expr; $($promise:ident,)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::suite::$promise(&$home).await;
            }
        )+
    };
}

/// How long something may take that has every reason to happen at once.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for what must happen.
async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    let seen = tokio::time::timeout(PATIENCE, event).await;
    seen.unwrap_or_else(|_| panic!("{what}: waited for in vain"))
}

/// A call with this body, and everything else usual.
fn call(body: Body) -> Call {
    Call { head: head(), body }
}

fn head() -> Head {
    let limits = Limits {
        connect: Duration::from_secs(10),
        first_byte: Duration::from_mins(5),
        idle: Duration::from_mins(1),
        total: None,
    };
    Head {
        request_id: RequestId::from_random(0x5eed),
        endpoint: EndpointName::parse("chat").unwrap(),
        mapping: MappingId::from_random(0xcafe),
        revision: 7,
        attempt: 1,
        operation: Operation::StreamGenerateContent,
        version: Version::V1Beta,
        path: None,
        framing: Framing::Sse,
        method: Method::POST,
        query: Some("alt=sse".to_owned()),
        headers: HeaderMap::new(),
        content_length: None,
        splices: Vec::new(),
        limits,
    }
}

/// A body that is given frame by frame.
fn given() -> (http_body_util::channel::Sender<Bytes, BodyError>, Body) {
    let (sender, body) = Channel::new(1);
    (sender, body.boxed_unsync())
}

async fn ask(forward: &dyn Forward, call: Call) -> Result<Answer, ForwardError> {
    within("an answer", forward.forward(call)).await
}

/// The next data of a body; trailers are passed over.
async fn next(body: &mut Body) -> Option<Result<Bytes, BodyError>> {
    loop {
        match within("the body's next frame", body.frame()).await? {
            Ok(frame) => match frame.into_data() {
                Ok(data) => return Some(Ok(data)),
                Err(_trailers) => {}
            },
            Err(error) => return Some(Err(error)),
        }
    }
}

/// All data of a body that must end well.
async fn whole(body: &mut Body) -> Bytes {
    let mut all = BytesMut::new();
    while let Some(data) = next(body).await {
        all.extend_from_slice(&data.unwrap());
    }
    all.freeze()
}

/// Exactly so many bytes, in however many frames.
async fn exactly(body: &mut Body, length: usize) -> Bytes {
    let mut all = BytesMut::new();
    while all.len() < length {
        all.extend_from_slice(&next(body).await.unwrap().unwrap());
    }
    assert_eq!(all.len(), length, "more came than was sent");
    all.freeze()
}

/// Bytes in which any loss, swap or doubling shows.
fn pattern(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}
