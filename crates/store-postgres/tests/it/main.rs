//! The conformance suite over Postgres, and what is Postgres's own: migrations, versions, lost answers, wake-ups.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests: a failure is a panic")]

mod commit;
mod home;
mod migrate;
mod wake;

use home::home;

mod tables {
    store::tables_suite!(super::home);
}
mod whole {
    store::store_suite!(super::home);
}
