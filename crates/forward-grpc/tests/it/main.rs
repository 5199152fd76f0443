//! `Forward` behind a wire: the suite of the seam in three homes, and what only a wire has.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests, and what they share")]

mod admission;
mod homes;
mod resets;
mod suite;
mod wire;
