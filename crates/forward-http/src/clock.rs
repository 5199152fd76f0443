//! The wall clock of the way out: what is signed carries the time.

use std::time::Duration;

/// Tells the time of day, for assertions and signatures. Limits on time use the monotonic clock instead.
pub trait Clock: Send + Sync + 'static {
    /// Since the Unix epoch.
    fn since_epoch(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "the one place here that reads the wall clock")]
    fn since_epoch(&self) -> Duration {
        // A clock set before 1970 shows as 1970: whoever checks a signature will refuse it, and say so.
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }
}
