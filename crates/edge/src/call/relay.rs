//! Passes a provider's answer on: status, headers, then the body frame by frame, never held back.
//!
//! A stream that breaks, or ends without its dialect's mark of completeness, never ends cleanly: where an event has just
//! ended, one error frame says what happened; then the transfer is aborted (no final chunk on HTTP/1.1, a reset on HTTP/2
//! and HTTP/1.0). A body that is not a stream is aborted without a word.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use dialect::{Completeness, Refusal};
use fault::Fault;
use forward::{Answer, BodyError, Limit};
use http::{HeaderValue, Response, StatusCode, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{
    record::Record,
    watch::{Told, Watch},
};
use crate::{
    Outgoing,
    accept::{timer::Timer, wire::Wire},
    problem::ERROR_SOURCE,
};

/// How long the last bytes may take to leave before the transfer is aborted all the same.
const FLUSH_MAX: Duration = Duration::from_secs(3);
/// The same on HTTP/2 once the connection was flushed: that flush may have been about to begin without them.
const FLUSH_AGAIN_MAX: Duration = Duration::from_millis(50);

/// The answer as the client gets it.
pub(super) fn relay(answer: Answer, mut record: Record) -> Response<Outgoing> {
    let Answer { status, mut headers, body } = answer;
    let told = Told::by(status, &headers, &record);
    if !status.is_success() {
        headers.insert(ERROR_SOURCE, HeaderValue::from_static("provider"));
    }
    if told.streams {
        // A length would make an error frame that fills it look like the end.
        headers.remove(header::CONTENT_LENGTH);
    }
    record.answered(status, told.streams);
    let mut response =
        Response::new(Outgoing::relay(Relay::new(body, told, length(&headers, status), record)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// How many bytes the body has, where that is known.
fn length(headers: &http::HeaderMap, status: StatusCode) -> Option<u64> {
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED) {
        return Some(0);
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Why a transfer was aborted. Only hyper sees it.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke and was aborted")]
pub(crate) struct Aborted;

/// A provider's answer on its way to the client.
pub(crate) struct Relay {
    /// None once nothing more is wanted of the provider: with it goes its connection.
    body: Option<forward::Body>,
    watch: Watch,
    streams: bool,
    /// Bytes still to come, where the length is known: hyper does not ask for an end after the last of them.
    left: Option<u64>,
    stage: Stage,
    wire: Option<Arc<Wire>>,
    /// Ready when the process ends.
    ending: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    record: Record,
}

enum Stage {
    Running,
    /// The last bytes are on their way; then the transfer is aborted.
    Flushing(Flushing),
    Ended,
}

/// Waits until what was written has left.
#[derive(Default)]
struct Flushing {
    began_at: Option<u64>,
    limit: Timer,
    again: bool,
}

impl Relay {
    fn new(body: forward::Body, told: Told, left: Option<u64>, record: Record) -> Self {
        let wire = record.wire();
        let ending = wire.as_ref().map(|wire| Box::pin(wire.ending.clone().cancelled_owned()));
        let mut relay = Self {
            body: Some(body),
            watch: told.watch,
            streams: told.streams,
            left,
            stage: Stage::Running,
            wire,
            ending,
            record,
        };
        relay.reset_unless_complete(true);
        if left == Some(0) {
            relay.complete();
        }
        relay
    }

    /// The next frame for the client.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        loop {
            match &mut self.stage {
                Stage::Ended => return Poll::Ready(None),
                Stage::Flushing(flushing) => {
                    ready!(flushing.poll(self.wire.as_deref(), self.record.version(), cx));
                    self.stage = Stage::Ended;
                    return Poll::Ready(Some(Err(Aborted)));
                }
                Stage::Running => {}
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let broke = match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => {
                        self.passes(&data);
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    // An empty frame says nothing, and trailers belong to the provider's hop.
                    _ => continue,
                },
                Poll::Ready(Some(Err(error))) => Broke::by(&error),
                Poll::Ready(None) => match self.verdict() {
                    None => {
                        self.complete();
                        return Poll::Ready(None);
                    }
                    Some(broke) => broke,
                },
                Poll::Pending => {
                    let Some(ending) = &mut self.ending else { return Poll::Pending };
                    ready!(ending.as_mut().poll(cx));
                    Broke::by(&BodyError::Draining)
                }
            };
            if let Some(frame) = self.breaks(&broke) {
                return Poll::Ready(Some(Ok(Frame::data(frame))));
            }
        }
    }

    /// Looks at bytes on their way through.
    fn passes(&mut self, data: &Bytes) {
        self.record.passed(data.len());
        self.watch.observe(data);
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(data.len() as u64);
            if *left == 0 {
                self.complete();
            }
        }
    }

    /// What is wrong with an answer that ended here, by its transport cleanly.
    fn verdict(&self) -> Option<Broke> {
        if !self.streams {
            return None;
        }
        match self.watch.completeness() {
            Completeness::Complete => None,
            Completeness::Unreadable => {
                self.record.unreadable();
                None
            }
            Completeness::Broken => {
                let said = "the provider's answer ended before it was complete";
                Some(Broke { fault: Fault::BadGateway, said, reason: "no_end_mark" })
            }
            Completeness::ProviderError => {
                let said = "the provider reported an error in its answer";
                Some(Broke { fault: Fault::BadGateway, said, reason: "provider_error" })
            }
        }
    }

    fn complete(&mut self) {
        self.reset_unless_complete(false);
        self.record.used(self.watch.usage());
        self.record.relayed();
        self.body = None;
        self.stage = Stage::Ended;
    }

    /// The answer broke: what is still to be said, if anything can be.
    fn breaks(&mut self, broke: &Broke) -> Option<Bytes> {
        self.body = None;
        self.record.used(self.watch.usage());
        self.record.broke(broke.reason);
        self.stage = Stage::Flushing(Flushing::default());
        if !self.streams || !self.watch.at_boundary() {
            return None;
        }
        let (dialect, framing) = self.record.asked();
        let refusal = Refusal {
            fault: broke.fault,
            message: broke.said,
            request_id: self.record.request_id().as_str(),
        };
        Some(refusal.frame(dialect, framing, !self.watch.started())).filter(|frame| !frame.is_empty())
    }

    /// Where the end of the connection is the end of the answer, only a reset tells a broken one from a whole one.
    fn reset_unless_complete(&self, reset: bool) {
        if let Some(wire) = self.wire.as_ref().filter(|_| self.record.version() == Version::HTTP_10) {
            wire.reset_at_end(reset);
        }
    }

    /// Whether nothing more comes, and nothing is to be told.
    pub(crate) fn ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    /// How long the rest is, where the provider said it and it will not be changed.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match (&self.body, self.streams) {
            (Some(body), false) => body.size_hint(),
            (None, false) => SizeHint::with_exact(0),
            (_, true) => SizeHint::default(),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if matches!(self.stage, Stage::Running) {
            self.record.used(self.watch.usage());
        }
    }
}

/// How an answer broke.
struct Broke {
    fault: Fault,
    said: &'static str,
    reason: &'static str,
}

impl Broke {
    fn by(error: &BodyError) -> Self {
        let (fault, said, reason) = match error {
            BodyError::Broken(_) => (
                Fault::BadGateway,
                "the connection to the provider broke before its answer was complete",
                "broken",
            ),
            BodyError::TimedOut(Limit::Total) => {
                (Fault::Timeout, "the answer was not complete within the `total` limit", "total")
            }
            BodyError::TimedOut(_) => (
                Fault::Timeout,
                "nothing came from the provider for longer than the `idle` limit allows",
                "idle",
            ),
            BodyError::TooLarge { .. } => {
                (Fault::BadGateway, "the provider's answer is larger than can be passed on", "too_large")
            }
            BodyError::Draining => {
                (Fault::Unavailable, "the gateway is shutting down; try again", "draining")
            }
        };
        Self { fault, said, reason }
    }
}

impl Flushing {
    /// Ready when the last bytes have left, or will not within the limits.
    fn poll(&mut self, wire: Option<&Wire>, version: Version, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wire) = wire else { return Poll::Ready(()) };
        let flushes = wire.flushes(cx.waker());
        let began_at = *self.began_at.get_or_insert(flushes);
        self.limit.start(FLUSH_MAX);
        match (version, flushes.wrapping_sub(began_at)) {
            (_, 0) => {}
            // On HTTP/2 another task writes; its first flush may have been under way when these bytes came.
            (Version::HTTP_2, 1) => {
                if !std::mem::replace(&mut self.again, true) {
                    self.limit.restart(FLUSH_AGAIN_MAX);
                }
            }
            _ => return Poll::Ready(()),
        }
        self.limit.poll(cx)
    }
}
