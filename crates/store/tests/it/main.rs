//! The store over tables in memory: the whole suite, and what only such tables can show.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a panic")]

mod away;

store::store_suite!(store::suite::memory::home);
