//! What the parts that serve one connection tell each other.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::scan::Violation;

/// One connection, as its gate, its requests and its answers see it.
#[derive(Debug)]
pub(crate) struct Wire {
    refused: OnceLock<Refused>,
    flushes: AtomicU64,
    flushed: AtomicWaker,
    in_flight: AtomicU32,
    born: Instant,
    /// When the last answer ended, in milliseconds since `born`.
    quiet_since_ms: AtomicU64,
    reset: AtomicBool,
    /// Cancelled when answers that still run must end.
    pub(crate) ending: CancellationToken,
}

/// A request that the gate did not let through.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What was wrong.
    pub(crate) violation: Violation,
    /// The method as far as it could be read, for the log.
    pub(crate) method: String,
    /// The target as far as it could be read, to find the dialect to answer in.
    pub(crate) target: String,
}

impl Wire {
    /// A new connection.
    pub(crate) fn new(ending: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            refused: OnceLock::new(),
            flushes: AtomicU64::new(0),
            flushed: AtomicWaker::new(),
            in_flight: AtomicU32::new(0),
            born: Instant::now(),
            quiet_since_ms: AtomicU64::new(0),
            reset: AtomicBool::new(false),
            ending,
        })
    }

    /// Says why the next request, which the gate made up, is none.
    pub(super) fn refuse(&self, refused: Refused) {
        // The gate refuses once; it lets nothing through afterwards.
        let _ = self.refused.set(refused);
    }

    /// Why the request with the made-up method is none.
    pub(crate) fn refused(&self) -> Option<&Refused> {
        self.refused.get()
    }

    /// Everything that was written before is on its way.
    pub(super) fn note_flush(&self) {
        self.flushes.fetch_add(1, Ordering::Release);
        self.flushed.wake();
    }

    /// How often everything was flushed; `waker` is told of the next time. One waiter at a time is told: of several on
    /// an HTTP/2 connection the others go by their own bound.
    pub(crate) fn flushes(&self, waker: &std::task::Waker) -> u64 {
        self.flushed.register(waker);
        self.flushes.load(Ordering::Acquire)
    }

    /// Whether the connection is to end by a reset instead of a close: where its end is the end of the answer (HTTP/1.0), a
    /// close would make a broken answer look whole.
    pub(crate) fn reset_at_end(&self, reset: bool) {
        self.reset.store(reset, Ordering::Relaxed);
    }

    /// Whether a reset was asked for.
    pub(super) fn wants_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// Since when no request is being answered; none while one is.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        (self.in_flight.load(Ordering::Acquire) == 0)
            .then(|| self.born + Duration::from_millis(self.quiet_since_ms.load(Ordering::Acquire)))
    }
}

/// One request that is being answered, from its head to the last byte of its answer.
#[derive(Debug)]
pub(crate) struct Flight(Arc<Wire>);

impl Flight {
    /// Begins.
    pub(crate) fn begin(wire: &Arc<Wire>) -> Self {
        wire.in_flight.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(wire))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.quiet_since_ms.store(now, Ordering::Release);
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
