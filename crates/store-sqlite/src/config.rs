//! Where the database lies, how it is opened, and the limits on it.

use std::{path::PathBuf, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The database's file within its folder. Beside it, while a process has it open, SQLite's `-wal` and `-shm`.
pub const DATABASE: &str = "keyward.db";

/// What is left of the write-ahead log after a checkpoint, in bytes: a burst of changes does not keep its disk for good.
const LOG_BYTES_KEPT: &str = "16777216";

/// Where the database is and how long anything there may take.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder; made, readable for its owner only, if it is not there.
    pub folder: PathBuf,
    /// Connections for reading at once; the one for writing comes on top.
    pub readers_max: u32,
    /// How long a call waits for a connection: a writer for the writers before it.
    pub acquire_timeout: Duration,
    /// How long a statement waits for a lock that another process holds, e.g. for one moment of a backup.
    pub busy_timeout: Duration,
    /// How long one statement may take: a disk that hangs.
    pub answer_timeout: Duration,
}

impl Config {
    /// The limits of a store on a disk of its own machine, in that folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            readers_max: 4,
            acquire_timeout: Duration::from_secs(2),
            busy_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(5),
        }
    }

    /// The database's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// For the one connection that writes.
    pub(crate) fn writing(&self) -> SqliteConnectOptions {
        // An old sealed value is overwritten, not only forgotten.
        let options =
            self.options().pragma("secure_delete", "ON").pragma("journal_size_limit", LOG_BYTES_KEPT);
        options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).foreign_keys(true)
    }

    /// For connections that read.
    pub(crate) fn reading(&self) -> SqliteConnectOptions {
        self.options().pragma("query_only", "ON")
    }

    /// What all connections have in common.
    pub(crate) fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(self.file())
            // Its file was made, with its permissions, when the folder was taken.
            .create_if_missing(false)
            .busy_timeout(self.busy_timeout)
            // A file that was tampered with cannot make the schema do more than this program's own.
            .pragma("trusted_schema", "OFF")
    }
}
