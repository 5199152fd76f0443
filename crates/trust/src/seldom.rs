//! Says something at most once a second, however often it happens, and how often it was.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long it keeps quiet.
const QUIET: Duration = Duration::from_secs(1);

/// Counts all, and says some.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<(u64, Option<Instant>)>);

impl Seldom {
    /// Counts one; where it is to be told, how many there have been.
    pub fn count(&self) -> Option<u64> {
        let mut held = self.0.lock();
        held.0 += 1;
        if held.1.is_some_and(|last| last.elapsed() < QUIET) {
            return None;
        }
        held.1 = Some(Instant::now());
        Some(held.0)
    }

    /// How many there have been.
    pub fn total(&self) -> u64 {
        self.0.lock().0
    }
}
