//! The answer as it arrives from the forwarder, and how long to wait for one that hangs.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use forward::{BodyError, ForwardError, Limit, Limits};
use futures_util::Stream as _;
use http_body::{Frame, SizeHint};
use proto::forward::v1::{ForwardResponse, forward_response::Part};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Streaming;

use super::upload::{CancelOnDrop, Progress};
use crate::failure::to_body;

/// The limits are the forwarder's to keep, and its word arrives before this is over; so it also covers the way there and
/// the forwarder's wait for a revision.
const GRACE: Duration = Duration::from_secs(5);

/// Waits for the answer's head, and a little longer than the forwarder itself may.
pub(super) async fn within<F: Future>(
    limits: &Limits,
    progress: &Progress,
    answered: F,
) -> Result<F::Output, ForwardError> {
    let mut answered = pin!(answered);
    let mut timer = pin!(sleep_until(progress.begun + GRACE));
    std::future::poll_fn(|context| {
        if let Poll::Ready(answered) = answered.as_mut().poll(context) {
            return Poll::Ready(Ok(answered));
        }
        loop {
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            match due(limits, progress, now) {
                (at, limit, after) if at <= now => {
                    return Poll::Ready(Err(ForwardError::TimedOut { limit, after }));
                }
                (at, ..) => timer.as_mut().reset(at),
            }
        }
    })
    .await
}

/// When to give up or look again, and which limit it would be.
fn due(limits: &Limits, progress: &Progress, now: Instant) -> (Instant, Limit, Duration) {
    let first_byte = match progress.handed() {
        Some(handed) => handed + limits.connect + limits.first_byte + GRACE,
        // While the client sends, the edge's own limits apply.
        None => now + GRACE,
    };
    match limits.total {
        Some(total) if progress.begun + total + GRACE < first_byte => {
            (progress.begun + total + GRACE, Limit::Total, total)
        }
        _ => (first_byte, Limit::FirstByte, limits.first_byte),
    }
}

/// The body of an answer. Dropping it before its end resets the stream, which drops the call on the far side.
pub(super) struct AnswerBody {
    /// None after its end.
    messages: Option<Streaming<ForwardResponse>>,
    /// Bytes still to come, where the forwarder knew how many.
    left: Option<u64>,
    idle: Duration,
    total: Option<Instant>,
    /// Made when a message is waited for: most answers to short calls are here whole.
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when a message has been waited for.
    waiting_since: Option<Instant>,
    _cancel: CancelOnDrop,
}

impl AnswerBody {
    pub(super) fn new(
        messages: Streaming<ForwardResponse>,
        length: Option<u64>,
        limits: &Limits,
        cancel: CancelOnDrop,
    ) -> Self {
        Self {
            messages: Some(messages),
            left: length,
            idle: limits.idle + GRACE,
            total: limits.total.map(|total| cancel.0.begun + total + GRACE),
            timer: None,
            waiting_since: None,
            _cancel: cancel,
        }
    }

    /// Counts a piece against the length that was told; whether it fits.
    fn counted(&mut self, bytes: &Bytes, context: &mut Context<'_>) -> bool {
        let Some(left) = &mut self.left else { return true };
        let Some(rest) = left.checked_sub(bytes.len() as u64) else { return false };
        *left = rest;
        if rest == 0 {
            // The trailers are mostly here already. Taking them ends the stream in order; HTTP/1.1 will not ask again.
            let end = self.messages.as_mut().map(|messages| Pin::new(messages).poll_next(context));
            if !matches!(end, Some(Poll::Pending)) {
                self.messages = None;
            }
        }
        true
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.messages = None;
        Poll::Ready(Some(Err(error)))
    }

    /// Nothing has come: pending until a limit runs out on a forwarder that hangs.
    fn poll_limits(&mut self, context: &mut Context<'_>) -> Poll<Limit> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let (at, limit) = match (since + self.idle, self.total) {
            (idle, Some(total)) if total < idle => (total, Limit::Total),
            (idle, _) => (idle, Limit::Idle),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= at {
                return Poll::Ready(limit);
            }
            timer.as_mut().reset(at);
        }
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
            let Some(messages) = &mut this.messages else { return Poll::Ready(None) };
            let Poll::Ready(message) = Pin::new(messages).poll_next(context) else {
                let limit = ready!(this.poll_limits(context));
                return this.fail(BodyError::TimedOut(limit));
            };
            this.waiting_since = None;
            match message.map(|message| message.map(|message| message.part)) {
                Some(Ok(Some(Part::Body(bytes)))) if bytes.is_empty() => {}
                Some(Ok(Some(Part::Body(bytes)))) if this.counted(&bytes, context) => {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Ok(_)) => return this.fail(BodyError::Broken("its forwarder spoke out of turn")),
                Some(Err(status)) => return this.fail(to_body(&status)),
                None if this.left.is_some_and(|left| left > 0) => {
                    return this.fail(BodyError::Broken("the body is shorter than was said"));
                }
                None => {
                    this.messages = None;
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.messages.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}
