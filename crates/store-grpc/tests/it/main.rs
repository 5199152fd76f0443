//! The store's seams behind a wire: the suite of the whole store, every field of every method, and what only a wire has.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests, and what they share")]

mod admin;
mod client_keys;
mod fake;
mod homes;
mod suite;
mod trusted;
mod wire;
