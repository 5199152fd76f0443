//! The store's tables in SQLite: one file in a folder of one process; rows in and out, sealed bytes only.
//!
//! [`Sqlite`] implements [`store::Tables`]. How it keeps the promises made there:
//!
//! * one process: a lock on a file of the folder, held until [`Sqlite`] is closed, dropped or killed;
//! * one writer: a pool of one connection, `BEGIN IMMEDIATE`;
//! * a consistent snapshot: WAL, and a transaction for each reader, on connections that cannot write;
//! * what is committed stays: `synchronous=FULL`;
//! * order by bytes: SQLite's own, `BINARY`;
//! * a failure that leaves a connection in doubt (disk full, I/O error, lock): that connection is closed, not used again.
//!
//! Whoever embeds it needs no other step: [`Sqlite::open`] runs the migrations. [`backup`] works while a store runs and
//! while none does; [`restore`] puts a backup into a folder that has no database. The keys are not in the database: without
//! the key-encryption keys a backup opens nothing, and they are to be kept apart from it.
//!
//! To add a table: a migration in `/migrations/sqlite` (and `/migrations/postgres`), its row in `store::tables::rows`, its
//! columns in `rows.rs`, its statements in `read.rs` and `write.rs`, and a case in `store::suite::tables`.

// First: its lists of columns are macros.
#[macro_use]
mod rows;

mod backup;
mod commit;
mod config;
mod database;
mod error;
mod folder;
mod migrate;
mod read;
mod session;
mod write;

pub use backup::{backup, restore};
pub use config::{Config, DATABASE};
pub use database::Sqlite;
pub use error::OpenError;
