//! Homes that break a promise, each found out by the promise it breaks.

use std::sync::Arc;

use bytes::Bytes;
use forward::{
    Answer, Call, Forward, ForwardError,
    suite::{self, Home},
};
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};

/// How a home is broken.
#[derive(Clone, Copy)]
enum Flaw {
    /// A body that broke ends as if it were whole.
    SwallowsErrors,
    /// The answer is read to its end, as fast as it comes, before any of it is passed on.
    ReadsAhead,
    /// Every failure is the same.
    Blurs,
    /// A byte is changed.
    Flips,
}

struct Broken(Flaw);

#[async_trait::async_trait]
impl Home for Broken {
    async fn house(&self, forwarder: Arc<dyn Forward>) -> Arc<dyn Forward> {
        Arc::new(Through { forwarder, flaw: self.0 })
    }
}

struct Through {
    forwarder: Arc<dyn Forward>,
    flaw: Flaw,
}

#[async_trait::async_trait]
impl Forward for Through {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        let answered = self.forwarder.forward(call).await;
        let answer = match self.flaw {
            Flaw::Blurs => answered.map_err(|_| ForwardError::Internal)?,
            _ => answered?,
        };
        let frames = answer.body.into_data_stream();
        let body = match self.flaw {
            Flaw::SwallowsErrors => {
                let good = frames.take_while(|data| std::future::ready(data.is_ok()));
                StreamBody::new(good.map(|data| data.map(http_body::Frame::data))).boxed_unsync()
            }
            Flaw::Flips => {
                let flipped =
                    frames.map(|data| data.map(|data| data.iter().map(|byte| byte ^ 1).collect::<Bytes>()));
                StreamBody::new(flipped.map(|data| data.map(http_body::Frame::data))).boxed_unsync()
            }
            Flaw::ReadsAhead => {
                let all: Vec<_> = frames.collect().await;
                let all = futures_util::stream::iter(all);
                StreamBody::new(all.map(|data| data.map(http_body::Frame::data))).boxed_unsync()
            }
            Flaw::Blurs => {
                StreamBody::new(frames.map(|data| data.map(http_body::Frame::data))).boxed_unsync()
            }
        };
        Ok(Answer { body, ..answer })
    }
}

#[tokio::test]
#[should_panic(expected = "unwrap()")]
async fn swallowed_errors_are_found() {
    suite::a_broken_answer_keeps_its_reason(&Broken(Flaw::SwallowsErrors)).await;
}

#[tokio::test]
#[should_panic(expected = "ended well")]
async fn a_clean_end_of_a_broken_request_is_found() {
    suite::a_broken_request_never_looks_complete(&Broken(Flaw::SwallowsErrors)).await;
}

#[tokio::test]
#[should_panic(expected = "ahead of the reader")]
async fn reading_ahead_is_found() {
    suite::a_slow_reader_slows_the_answer(&Broken(Flaw::ReadsAhead)).await;
}

#[tokio::test]
#[should_panic(expected = "Internal for TimedOut")]
async fn blurred_errors_are_found() {
    suite::errors_arrive_as_they_are(&Broken(Flaw::Blurs)).await;
}

#[tokio::test]
#[should_panic(expected = "changed on their way")]
async fn changed_bytes_are_found() {
    suite::bytes_pass_untouched_in_any_frames(&Broken(Flaw::Flips)).await;
}
