//! The provider's answer: waiting for its head, then its body as it comes, both under their limits.
//!
//! One timer serves the whole call. It is moved only when it fires too early, never per frame.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use fault::chain;
use forward::{BodyError, ForwardError, Limit, Limits};
use http::Response;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy::ResponseFuture;
use tokio::time::{Instant, Sleep};

use crate::{
    error::{find, from_client},
    upload::{CancelOnDrop, Due, Progress},
};

/// The call's timer.
pub(crate) type Timer = Pin<Box<Sleep>>;

/// Waits for the provider's status and headers.
pub(crate) async fn head(
    response: &mut ResponseFuture,
    timer: &mut Timer,
    progress: &Progress,
    limits: &Limits,
) -> Result<Response<Incoming>, ForwardError> {
    std::future::poll_fn(|context| {
        if let Poll::Ready(result) = Pin::new(&mut *response).poll(context) {
            return Poll::Ready(result.map_err(|error| failed(&error, progress)));
        }
        loop {
            ready!(timer.as_mut().poll(context));
            match progress.due(limits, Instant::now()) {
                Due::At(next) => timer.as_mut().reset(next),
                Due::Out(limit, after) => return Poll::Ready(Err(ForwardError::TimedOut { limit, after })),
            }
        }
    })
    .await
}

fn failed(error: &hyper_util::client::legacy::Error, progress: &Progress) -> ForwardError {
    let said = progress.failure().unwrap_or_else(|| from_client(error));
    tracing::info!(
        request_id = progress.request_id(),
        mapping = progress.mapping(),
        kind = said.kind(),
        cause = %chain(error),
        "no answer of the provider"
    );
    said
}

/// The body of an answer. Dropping it before its end closes the connection, or resets the stream on HTTP/2.
pub(crate) struct AnswerBody {
    /// None once it broke: the connection is gone with it.
    inner: Option<Incoming>,
    timer: Timer,
    idle: Duration,
    total: Option<Instant>,
    /// Since when a frame has been waited for.
    waiting_since: Option<Instant>,
    cancel: CancelOnDrop,
}

impl AnswerBody {
    pub(crate) fn new(inner: Incoming, timer: Timer, limits: &Limits, cancel: CancelOnDrop) -> Self {
        let total = cancel.0.total(limits);
        Self { inner: Some(inner), timer, idle: limits.idle, total, waiting_since: None, cancel }
    }

    /// Nothing has come: pending until a limit runs out.
    fn poll_limits(&mut self, context: &mut Context<'_>) -> Poll<Limit> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let (due, limit) = match (since + self.idle, self.total) {
            (idle, Some(total)) if total < idle => (total, Limit::Total),
            (idle, _) => (idle, Limit::Idle),
        };
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            if Instant::now() >= due {
                return Poll::Ready(limit);
            }
            self.timer.as_mut().reset(due);
        }
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.inner = None;
        Poll::Ready(Some(Err(error)))
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
            match http_body::Body::poll_frame(Pin::new(inner), context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.waiting_since = None;
                    // Trailers belong to the connection's hop.
                    if frame.is_data() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    let said = broken(&error);
                    let progress = &this.cancel.0;
                    tracing::info!(
                        request_id = progress.request_id(),
                        mapping = progress.mapping(),
                        cause = %chain(&error),
                        "the provider's answer broke"
                    );
                    return this.fail(said);
                }
                Poll::Pending => {
                    let limit = ready!(this.poll_limits(context));
                    return this.fail(BodyError::TimedOut(limit));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

/// A body that ended without its end: never mistaken for a complete one.
fn broken(error: &hyper::Error) -> BodyError {
    if find::<h2::Error>(error).is_some_and(h2::Error::is_reset) {
        return BodyError::Broken("the provider reset the stream");
    }
    let io = find::<std::io::Error>(error).map(std::io::Error::kind);
    BodyError::Broken(match io {
        Some(std::io::ErrorKind::ConnectionReset) => "the provider reset the connection",
        Some(std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData) => {
            "the provider's framing is malformed"
        }
        _ => "the provider closed the connection early",
    })
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::Arc};

    use http_body_util::Empty;
    use hyper_util::{
        client::legacy::Client,
        rt::{TokioExecutor, TokioIo},
    };
    use names::{MappingId, RequestId};
    use parking_lot::Mutex;
    use tracing_subscriber::util::SubscriberInitExt as _;

    use super::*;
    use crate::upload::Attempt;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_line_of_a_failure_can_be_found_by_its_request() {
        let lines = Lines::default();
        let writer = lines.clone();
        let _guard =
            tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish().set_default();
        let nobody = tower::service_fn(|_: http::Uri| {
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            std::future::ready(Err::<TokioIo<tokio::net::TcpStream>, _>(refused))
        });
        let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(nobody);
        let request_id = RequestId::from_random(7);
        let mapping = MappingId::from_random(1);
        let attempt = Attempt { request_id: request_id.clone(), mapping: mapping.clone() };
        let minute = Duration::from_mins(1);
        let limits = Limits { connect: minute, first_byte: minute, idle: minute, total: None };
        let mut timer: Timer = Box::pin(tokio::time::sleep(minute));
        let mut response = client.get("http://provider.example/".parse().unwrap());
        let progress = Progress::begin(Some(attempt));
        head(&mut response, &mut timer, &progress, &limits).await.unwrap_err();
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        let line = text.lines().find(|line| line.contains("no answer of the provider")).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["fields"]["request_id"], request_id.as_str());
        assert_eq!(line["fields"]["mapping"], mapping.as_str());
    }
}
