//! What SQLite and the folder say, as the store's errors.

use std::{io, path::PathBuf};

use sqlx::error::{DatabaseError, ErrorKind};
use store::tables::{BoxError, Constraint, TablesError};

/// Why a database was not opened, backed up or restored. Texts name the file, and what to do where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has it.
    #[error("the data folder `{}` is in use by another Keyward process", .0.display())]
    InUse(PathBuf),
    /// The folder or a file could not be made, read or given its permissions.
    #[error("cannot use `{}`", .path.display())]
    Files {
        /// Which one.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no database.
    #[error("there is no database at `{}`", .0.display())]
    Missing(PathBuf),
    /// There is a file already where one was to be made.
    #[error("`{}` exists; nothing was changed", .0.display())]
    Exists(PathBuf),
    /// Not SQLite, damaged, or another program's.
    #[error("`{}` is not a sound Keyward database: {reason}", .path.display())]
    NotKeyward {
        /// Which file.
        path: PathBuf,
        /// What speaks against it.
        reason: String,
    },
    /// A newer program has migrated it.
    #[error("`{}` was written by a newer Keyward (migration {migration}); use that one or newer", .path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The first migration that this program does not know.
        migration: i64,
    },
    /// A migration failed, or one that was run differs from this program's.
    #[error("the database could not be migrated; nothing was changed")]
    Migration(#[source] BoxError),
    /// SQLite could not open, read or write.
    #[error("the database is not available")]
    Unavailable(#[source] BoxError),
}

impl OpenError {
    /// For `map_err`, with the file or folder that it was about.
    pub(crate) fn files(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Files { path: path.into(), source }
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Unique keys as SQLite names them: by their columns.
const CONSTRAINTS: [(&str, Constraint); 6] = [
    ("secrets.workspace, secrets.name", Constraint::SecretName),
    ("model_definitions.workspace, model_definitions.name", Constraint::DefinitionName),
    ("endpoints.workspace, endpoints.name", Constraint::EndpointName),
    (
        "mappings.workspace, mappings.endpoint_id, mappings.definition_id, mappings.linkage",
        Constraint::MappingPart,
    ),
    (
        "bindings.workspace, bindings.endpoint_id, bindings.resource_type, bindings.resource_id",
        Constraint::Binding,
    ),
    ("experiments.workspace, experiments.name", Constraint::ExperimentName),
];

/// Primary result codes (<https://www.sqlite.org/rescode.html>) that say: the disk, the file or a lock is the trouble, not
/// the statement.
const UNAVAILABLE: [u8; 9] = [
    5,  // BUSY
    6,  // LOCKED
    7,  // NOMEM
    8,  // READONLY
    9,  // INTERRUPT
    10, // IOERR
    13, // FULL
    14, // CANTOPEN
    15, // PROTOCOL: the locks of the write-ahead log
];
/// An I/O error: what is on the disk afterwards is not known.
const IO_ERROR: u8 = 10;
/// A constraint or a trigger refused; the transaction is as it was before the statement.
const CONSTRAINT: u8 = 19;

/// Sorts an error of sqlx.
pub(crate) fn tables_error(error: sqlx::Error) -> TablesError {
    if let Some(constraint) = error.as_database_error().and_then(taken) {
        return TablesError::Taken(constraint);
    }
    let away = match &error {
        sqlx::Error::Database(refusal) => {
            primary_code(refusal.as_ref()).is_some_and(|code| UNAVAILABLE.contains(&code))
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_) => true,
        _ => false,
    };
    if away { TablesError::Unavailable(error.into()) } else { TablesError::Defect(error.into()) }
}

fn taken(refusal: &dyn DatabaseError) -> Option<Constraint> {
    let (_, columns) = refusal.message().split_once("constraint failed: ")?;
    let named = CONSTRAINTS.iter().find(|(key, _)| *key == columns)?;
    (refusal.kind() == ErrorKind::UniqueViolation).then_some(named.1)
}

/// Whether the transaction is as it was before the statement, and can be rolled back on the same connection. After other
/// errors SQLite may have rolled back by itself.
pub(crate) fn leaves_transaction(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(primary_code);
    code.is_some_and(|code| code == CONSTRAINT)
}

/// Whether it is not known what a COMMIT that was answered so has left on the disk.
pub(crate) fn leaves_doubt(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => primary_code(refusal.as_ref()) == Some(IO_ERROR),
        _ => true,
    }
}

/// The low byte of the extended code.
fn primary_code(refusal: &dyn DatabaseError) -> Option<u8> {
    let code: i64 = refusal.code()?.parse().ok()?;
    u8::try_from(code & 0xff).ok()
}

/// An error without a cause of sqlx's.
pub(crate) fn unavailable(why: &'static str) -> TablesError {
    TablesError::Unavailable(why.into())
}
