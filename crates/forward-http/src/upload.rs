//! The request's body on its way out, and what it tells of where the call stands.
//!
//! The wait for an answer has three phases with a limit each (connect, the client's own pace, first byte). Which one it
//! is in is seen here, because this body is what the connection takes the request from: before it is asked for anything
//! there is no connection; after it said "pending" the client is the slow one; else the provider is.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use forward::{Body, BodyError, ForwardError, Limit, Limits};
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// Where a call stands, shared by its body, which the connection owns, and the call itself.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    phase: AtomicU64,
    failure: OnceLock<BodyError>,
    cancelled: AtomicBool,
    waker: AtomicWaker,
}

/// No connection has taken the request yet.
const CONNECTING: u64 = 0;
/// The connection waits for more of the client's body.
const CLIENT: u64 = u64::MAX;
// Any other value: nanoseconds from `begun` to the moment when the provider was given the last bytes so far.

/// When to look again, or which limit ran out.
pub(crate) enum Due {
    At(Instant),
    Out(Limit, Duration),
}

impl Progress {
    pub(crate) fn begin() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            phase: AtomicU64::new(CONNECTING),
            failure: OnceLock::new(),
            cancelled: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        })
    }

    /// When the call's time is over, if it has a total.
    pub(crate) fn total(&self, limits: &Limits) -> Option<Instant> {
        limits.total.map(|total| self.begun + total)
    }

    /// The next moment at which a limit can have run out, or the one that has by `now`.
    pub(crate) fn due(&self, limits: &Limits, now: Instant) -> Due {
        let look_again = now + limits.first_byte.max(Duration::from_millis(1));
        let (at, limit, after) = match self.phase.load(Ordering::Acquire) {
            CONNECTING => {
                let end = self.begun + limits.connect;
                // Nobody wakes the call when a connection takes its request: the first byte may be due before `end`.
                let at = if end <= now { end } else { end.min(look_again) };
                (at, Limit::Connect, limits.connect)
            }
            CLIENT => (look_again, Limit::FirstByte, limits.first_byte),
            nanos => {
                let handed = self.begun + Duration::from_nanos(nanos);
                (handed + limits.first_byte, Limit::FirstByte, limits.first_byte)
            }
        };
        let (at, limit, after) = match (self.total(limits), limits.total) {
            (Some(end), Some(total)) if end < at => (end, Limit::Total, total),
            _ => (at, limit, after),
        };
        if at <= now { Due::Out(limit, after) } else { Due::At(at) }
    }

    /// Why the request's body did not come to its end, if that is what happened.
    pub(crate) fn failure(&self) -> Option<ForwardError> {
        self.failure.get().map(|error| match error {
            BodyError::TooLarge { max } => ForwardError::TooLarge { max: *max },
            _ => ForwardError::RequestBroken,
        })
    }

    fn handed(&self) {
        let nanos = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(CLIENT);
        self.phase.store(nanos.clamp(1, CLIENT - 1), Ordering::Release);
    }
}

/// Ends the upload when the call or its answer is dropped, so that a provider who answered early does not go on
/// receiving a body that nobody stands behind any more.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(pub(crate) Arc<Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

/// The request's body as the connection sees it.
pub(crate) struct Outgoing {
    inner: Body,
    /// Bytes that are still to come, where the client said how many.
    left: Option<u64>,
    progress: Arc<Progress>,
}

impl Outgoing {
    pub(crate) fn new(inner: Body, length: Option<u64>, progress: Arc<Progress>) -> Self {
        Self { inner, left: length, progress }
    }

    fn fail(&self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let _ = self.progress.failure.set(error.clone());
        Poll::Ready(Some(Err(error)))
    }

    /// Counts a frame against the length that was announced; whether it fits.
    fn fits(&mut self, data: &Bytes) -> bool {
        let Some(left) = &mut self.left else { return true };
        match left.checked_sub(data.len() as u64) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        this.progress.waker.register(context.waker());
        if this.progress.cancelled.load(Ordering::Acquire) {
            return this.fail(BodyError::Broken("the call was given up"));
        }
        loop {
            match Pin::new(&mut this.inner).poll_frame(context) {
                Poll::Pending => {
                    this.progress.phase.store(CLIENT, Ordering::Release);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => {
                    this.progress.handed();
                    // Trailers of a client have no place in any provider's API.
                    let Ok(data) = frame.into_data() else { continue };
                    if !this.fits(&data) {
                        return this.fail(BodyError::Broken("the body is longer than was said"));
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Poll::Ready(Some(Err(error))) => return this.fail(error),
                Poll::Ready(None) => {
                    this.progress.handed();
                    return match this.left {
                        None | Some(0) => Poll::Ready(None),
                        Some(_) => this.fail(BodyError::Broken("the body is shorter than was said")),
                    };
                }
            }
        }
    }

    /// Asked first of all when a connection takes the request.
    fn is_end_stream(&self) -> bool {
        if self.progress.phase.load(Ordering::Acquire) == CONNECTING {
            self.progress.handed();
        }
        match self.left {
            Some(left) => left == 0,
            None => self.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.left {
            Some(left) => SizeHint::with_exact(left),
            None => self.inner.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::*;

    const LIMITS: Limits = Limits {
        connect: Duration::from_secs(1),
        first_byte: Duration::from_secs(10),
        idle: Duration::from_secs(5),
        total: None,
    };

    fn out_of(progress: &Progress, limits: &Limits) -> Option<Limit> {
        match progress.due(limits, Instant::now()) {
            Due::Out(limit, _) => Some(limit),
            Due::At(_) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_own_limit() {
        let progress = Progress::begin();
        let (mut client, body) = http_body_util::channel::Channel::<Bytes, BodyError>::new(1);
        let mut body = Outgoing::new(body.boxed_unsync(), None, Arc::clone(&progress));

        tokio::time::advance(Duration::from_millis(999)).await;
        assert_eq!(out_of(&progress, &LIMITS), None);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(out_of(&progress, &LIMITS), Some(Limit::Connect));

        assert!(!body.is_end_stream(), "the connection takes the request");
        assert_eq!(out_of(&progress, &LIMITS), None);
        assert!(futures_util::poll!(body.frame()).is_pending());
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(out_of(&progress, &LIMITS), None, "the client is slow, not the provider");

        client.send_data(Bytes::from_static(b"x")).await.unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(out_of(&progress, &LIMITS), None);
        drop(client);
        assert!(body.frame().await.is_none());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(out_of(&progress, &LIMITS), None, "counted from the last byte");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(out_of(&progress, &LIMITS), Some(Limit::FirstByte));
    }

    /// The call is not woken when its phase changes, so it must look again before the shortest limit can be over.
    #[tokio::test(start_paused = true)]
    async fn a_first_byte_that_is_due_before_connect_is_looked_for_in_time() {
        let limits = Limits { connect: Duration::from_mins(1), ..LIMITS };
        let progress = Progress::begin();
        let now = Instant::now();
        assert!(matches!(progress.due(&limits, now), Due::At(at) if at <= now + limits.first_byte));
    }

    #[tokio::test(start_paused = true)]
    async fn a_total_is_over_whoever_is_slow() {
        let limits = Limits { total: Some(Duration::from_millis(500)), ..LIMITS };
        let progress = Progress::begin();
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(out_of(&progress, &limits), Some(Limit::Total));
    }

    #[tokio::test]
    async fn a_length_that_was_said_is_kept() {
        for (said, comes, sound) in [(3, "abc", true), (4, "abc", false), (2, "abc", false), (0, "", true)] {
            let progress = Progress::begin();
            let body = Outgoing::new(forward::full(comes), Some(said), Arc::clone(&progress));
            assert_eq!(body.size_hint().exact(), Some(said));
            assert_eq!(body.collect().await.is_ok(), sound, "{said} {comes}");
            assert_eq!(progress.failure().is_none(), sound);
        }
    }
}
