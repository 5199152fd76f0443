//! Time and randomness, which come in as arguments.

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
