//! Time and randomness, which come in as arguments; and the real ones, which only a process's start hands out.

/// The wall clock, for the times that entities carry. Limits on time use the monotonic clock instead.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// A source of random bits for identifiers.
pub trait Entropy: Send + Sync + 'static {
    /// 128 random bits.
    fn bits(&self) -> u128;
}

/// The machine's own clock and random bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock set before 1970 shows as 1970: a wrong time on a row is no reason to refuse it.
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Entropy for System {
    #[expect(
        clippy::expect_used,
        reason = "identifiers that are not random would collide: nothing to go on with"
    )]
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
        u128::from_ne_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_ones_move() {
        assert!(System.now_ms() > 1_700_000_000_000, "after 2023");
        assert_ne!(System.bits(), System.bits());
    }
}
