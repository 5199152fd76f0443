//! What Postgres says, as the store's errors.

use std::borrow::Cow;

use store::tables::{BoxError, Constraint, TablesError};

/// Why the database could not be opened. Texts name no host, user or password; the cause is for the log.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL does not parse.
    #[error("the database URL is not of the form `postgres://user:password@host:port/database`")]
    InvalidUrl,
    /// No connection, or the connection was lost.
    #[error("the database is not available")]
    Unavailable(#[source] BoxError),
    /// Its version is below 15.
    #[error("the database is Postgres {0}, 15 or newer is needed")]
    TooOld(i32),
    /// Migrations of this program have not been run there.
    #[error("{0} migrations have not been run on the database: run `keyward store migrate`")]
    NotMigrated(usize),
    /// `keyward store migrate` of a newer program was run there.
    #[error(
        "the database was migrated by `keyward store migrate` of a newer Keyward (migration {0}): use that one or newer"
    )]
    Newer(i64),
    /// A migration failed, or one that was run differs from this program's.
    #[error("the database could not be migrated")]
    Migration(#[source] BoxError),
}

/// Unique constraints by the names that `migrations/postgres` gives them.
const CONSTRAINTS: [(&str, Constraint); 6] = [
    ("secrets_name", Constraint::SecretName),
    ("model_definitions_name", Constraint::DefinitionName),
    ("endpoints_name", Constraint::EndpointName),
    ("mappings_part", Constraint::MappingPart),
    ("bindings_key", Constraint::Binding),
    ("experiments_name", Constraint::ExperimentName),
];

/// SQLSTATE classes and codes that say: the server, its disk or a limit is the trouble, not the statement. Each of them
/// means that the transaction is or will be rolled back.
const UNAVAILABLE: [&str; 13] = [
    "08",    // connection exceptions
    "28",    // the login is refused: the operator's doing, not the caller's
    "3D000", // no such database
    "53",    // out of disk, memory or connections
    "57P",   // shutdown, crash recovery, database dropped
    "57014", // statement_timeout, or an operator's cancel
    "58",    // I/O errors
    "55P03", // lock_timeout
    "40001", // could not serialise
    "40P01", // deadlock
    "25P03", // idle_in_transaction_session_timeout
    "25P04", // transaction_timeout
    "25006", // a standby: read only
];

/// Sorts an error of sqlx.
pub(crate) fn tables_error(error: sqlx::Error) -> TablesError {
    if let sqlx::Error::Database(refusal) = &error {
        let named = CONSTRAINTS.iter().find(|(name, _)| refusal.constraint() == Some(*name));
        if let (true, Some((_, constraint))) = (refusal.is_unique_violation(), named) {
            return TablesError::Taken(*constraint);
        }
    }
    if is_unavailable(&error) {
        TablesError::Unavailable(error.into())
    } else {
        TablesError::Defect(error.into())
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or(Cow::Borrowed(""));
            UNAVAILABLE.iter().any(|start| code.starts_with(start))
        }
        _ => {
            is_connection_lost(error) || matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
        }
    }
}

/// Whether the connection ended, so that a statement that was sent may or may not have been run.
pub(crate) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        // A server that goes down says so on every connection, and closes it.
        sqlx::Error::Database(last_word) => last_word.code().is_some_and(|code| code.starts_with("57P")),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        _ => false,
    }
}

/// An error without a cause of sqlx's.
pub(crate) fn unavailable(why: &'static str) -> TablesError {
    TablesError::Unavailable(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_and_the_wire_are_the_database_being_away() {
        let away = [
            sqlx::Error::PoolTimedOut,
            sqlx::Error::PoolClosed,
            sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into()),
        ];
        for error in away {
            assert!(matches!(tables_error(error), TablesError::Unavailable(_)));
        }
        assert!(matches!(tables_error(sqlx::Error::RowNotFound), TablesError::Defect(_)));
    }
}
