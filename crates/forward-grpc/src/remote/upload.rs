//! The request on its way to the forwarder, and how far it has come.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use forward::{Body, BodyError, Call, ForwardError};
use futures_util::{Stream, task::AtomicWaker};
use http_body::Body as _;
use proto::forward::v1::{BodyEnd, CallHead, ForwardRequest, forward_request::Part};
use tokio::time::Instant;

use crate::{Admitted, PIECE_MAX, convert::head_to_wire};

/// What the call and the connection, in their two tasks, know of one upload.
pub(super) struct Progress {
    pub(super) begun: Instant,
    /// When the last byte was handed to the connection.
    handed: OnceLock<Instant>,
    /// Why the body did not come to its end.
    failure: OnceLock<BodyError>,
    cancelled: AtomicBool,
    waker: AtomicWaker,
}

impl Progress {
    pub(super) fn begin() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            handed: OnceLock::new(),
            failure: OnceLock::new(),
            cancelled: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        })
    }

    pub(super) fn handed(&self) -> Option<Instant> {
        self.handed.get().copied()
    }

    pub(super) fn failure(&self) -> Option<ForwardError> {
        self.failure.get().map(|error| match error {
            BodyError::TooLarge { max } => ForwardError::TooLarge { max: *max },
            BodyError::Broken(_) | BodyError::TimedOut(_) | BodyError::Draining => {
                ForwardError::RequestBroken
            }
        })
    }
}

/// Ends the upload with the call or its answer, so that no connection keeps a body that nobody stands behind any more.
pub(super) struct CancelOnDrop(pub(super) Arc<Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

/// Head, pieces of the body, end. Without the end, the forwarder takes the call as given up.
pub(super) struct Outgoing {
    head: Option<CallHead>,
    /// What is left of a frame that was longer than a piece.
    rest: Bytes,
    /// None after its end.
    body: Option<Body>,
    progress: Arc<Progress>,
}

impl Outgoing {
    pub(super) fn new(call: Call, admitted: Option<&Admitted>, progress: Arc<Progress>) -> Self {
        let mut head = head_to_wire(call.head);
        if let Some(admitted) = admitted {
            admitted.state(&mut head);
        }
        Self { head: Some(head), rest: Bytes::new(), body: Some(call.body), progress }
    }

    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Part>> {
        self.progress.waker.register(context.waker());
        if self.progress.cancelled.load(Ordering::Acquire) {
            self.body = None;
            return Poll::Ready(None);
        }
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Part::Head(head)));
        }
        while self.rest.is_empty() {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(context)) {
                // Trailers of a client have no place in any provider's API.
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    let _ = self.progress.failure.set(error);
                    self.body = None;
                    return Poll::Ready(None);
                }
                None => {
                    let _ = self.progress.handed.set(Instant::now());
                    self.body = None;
                    return Poll::Ready(Some(Part::End(BodyEnd {})));
                }
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_MAX));
        Poll::Ready(Some(Part::Body(piece)))
    }
}

impl Stream for Outgoing {
    type Item = ForwardRequest;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ForwardRequest>> {
        let part = ready!(self.poll_part(context));
        Poll::Ready(part.map(|part| ForwardRequest { part: Some(part) }))
    }
}
