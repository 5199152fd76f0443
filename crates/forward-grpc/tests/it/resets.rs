//! Calls that are given up, however many, take nothing from the others on their connection.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use forward::{Answer, BodyError, Call, Forward, ForwardError};
use futures_util::{future::join_all, stream};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody, channel::Channel};
use tokio::sync::Mutex;

use crate::{homes::over_tcp, wire::call};

const PATIENCE: Duration = Duration::from_mins(1);
/// Calls that are given up at once, above what h2 remembers by itself (50).
const AT_ONCE: usize = 200;
/// Together far above the mistakes that h2 takes by itself (1024).
const ROUNDS: usize = 20;

/// The first call gets what it is given; every other an answer without end, as fast as it is read.
struct Flows(Mutex<Option<forward::Body>>);

#[async_trait::async_trait]
impl Forward for Flows {
    async fn forward(&self, _: Call) -> Result<Answer, ForwardError> {
        let endless = || {
            let piece = Bytes::from_static(&[b'x'; 1024]);
            StreamBody::new(stream::repeat_with(move || Ok(Frame::data(piece.clone())))).boxed_unsync()
        };
        let body = self.0.lock().await.take().unwrap_or_else(endless);
        Ok(Answer { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }
}

#[tokio::test]
async fn thousands_of_calls_that_are_given_up_do_not_end_the_others() {
    let (mut sender, body) = Channel::<Bytes, BodyError>::new(1);
    let flows = Arc::new(Flows(Mutex::new(Some(body.boxed_unsync()))));
    let remote = over_tcp(flows).await;
    let watched = remote.forward(call(forward::empty())).await.unwrap().body;
    for _ in 0..ROUNDS {
        let answers = join_all((0..AT_ONCE).map(|_| remote.forward(call(forward::empty())))).await;
        let mut bodies: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().body).collect();
        join_all(bodies.iter_mut().map(|body| body.frame())).await;
        drop(bodies);
    }
    sender.send_data(Bytes::from_static(b"still here")).await.unwrap();
    drop(sender);
    let whole = tokio::time::timeout(PATIENCE, watched.collect()).await.expect("the answer goes on");
    assert_eq!(whole.unwrap().to_bytes(), "still here");
}
