//! The conformance suite over SQLite, and what is SQLite's own: folder, lock, migrations, backup, restore.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a panic")]

mod audit;
mod backup;
mod folder;
mod home;

use home::home;

mod tables {
    store::tables_suite!(super::home);
}
mod whole {
    store::store_suite!(super::home);
}
