//! The store's tables in Postgres 15 and newer: rows in and out, sealed bytes only.
//!
//! [`Postgres`] implements [`store::Tables`]. How it keeps the promises made there:
//!
//! * one writer: the first statement of a transaction takes the row of `meta` `FOR UPDATE`, so commit order is revision order;
//! * a consistent snapshot: `REPEATABLE READ, READ ONLY`;
//! * order by bytes: every text column is `COLLATE "C"`;
//! * a commit whose answer was lost: its transaction id was taken down at the start, and `pg_xact_status` is asked on a new
//!   connection;
//! * a server that does not answer: limits on both sides, the server's (`statement_timeout`, `lock_timeout`) and, a little
//!   later, this side's;
//! * wake-ups: `NOTIFY` inside the transaction, `LISTEN` on a connection of its own.
//!
//! To add a table: a migration in `/migrations/postgres` (and `/migrations/sqlite`), its row in `store::tables::rows`, its
//! columns in `rows.rs`, its statements in `read.rs` and `write.rs`, and a test in `store::suite`.

// First: its lists of columns are macros.
#[macro_use]
mod rows;

mod commit;
mod config;
mod database;
mod error;
mod migrate;
mod read;
mod session;
mod wake;
mod write;

pub use config::Config;
pub use database::Postgres;
pub use error::OpenError;
pub use migrate::{key_checks, migrate};
