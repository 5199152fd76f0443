//! Brings a database up to this program's tables.

use std::{borrow::Cow, path::Path};

use sqlx::{
    Connection as _, SqliteConnection,
    migrate::{MigrateError, Migrator},
};

use crate::{Config, OpenError};

/// Embedded at build; each runs in a transaction of its own.
static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// `PRAGMA application_id` of a Keyward database: "Keyw". The first migration sets it.
const APPLICATION: i32 = 0x4B65_7977;

/// Refuses a database of another program or of a newer one, and leaves it as it is, byte for byte.
pub(crate) async fn refuse_others(config: &Config, path: &Path) -> Result<(), OpenError> {
    let connected = SqliteConnection::connect_with(&config.options()).await;
    let mut connection = connected.map_err(|error| garbled(path, error))?;
    if !is_new(&mut connection, path).await? {
        check(&mut connection, path).await?;
    }
    Ok(connection.close().await?)
}

/// Runs the migrations that have not been run.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    Ok(MIGRATIONS.run_direct(None, connection, false).await?)
}

/// Refuses what is not a Keyward database that this program can use.
pub(crate) async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let application: i32 = first(connection, path, "PRAGMA application_id").await?;
    if application != APPLICATION {
        return Err(not_keyward(path, "it is another program's"));
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(connection)
            .await
            .map_err(|error| not_keyward(path, &error.to_string()))?;
    match applied.into_iter().find(|version| !MIGRATIONS.version_exists(*version)) {
        Some(migration) => Err(OpenError::Newer { path: path.to_owned(), migration }),
        None => Ok(()),
    }
}

/// Refuses a file that is damaged, or in which rows refer to rows that are not there.
pub(crate) async fn check_integrity(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let verdict: String = first(connection, path, "PRAGMA integrity_check(1)").await?;
    if verdict != "ok" {
        return Err(not_keyward(path, &verdict));
    }
    let dangling = sqlx::query("PRAGMA foreign_key_check").fetch_optional(connection).await?;
    if dangling.is_some() { Err(not_keyward(path, "a row refers to one that is not there")) } else { Ok(()) }
}

/// Whether nothing was ever written to it, or only the list of migrations, by a process that ended right after.
async fn is_new(connection: &mut SqliteConnection, path: &Path) -> Result<bool, OpenError> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name <> '_sqlx_migrations'";
    Ok(first::<i64>(connection, path, tables).await? == 0)
}

async fn first<T>(connection: &mut SqliteConnection, path: &Path, query: &'static str) -> Result<T, OpenError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    let answer = sqlx::query_scalar(query).fetch_one(connection).await;
    answer.map_err(|error| garbled(path, error))
}

/// An answer to the first questions that are put to a file.
pub(crate) fn garbled(path: &Path, error: sqlx::Error) -> OpenError {
    // NOTADB, CORRUPT
    let damaged = |code: &str| code.parse::<i64>().is_ok_and(|code| [26, 11].contains(&(code & 0xff)));
    let code = error.as_database_error().and_then(|refusal| refusal.code().map(Cow::into_owned));
    if code.as_deref().is_some_and(damaged) { not_keyward(path, &error.to_string()) } else { error.into() }
}

fn not_keyward(path: &Path, reason: &str) -> OpenError {
    OpenError::NotKeyward { path: path.to_owned(), reason: reason.to_owned() }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        Self::Migration(error.into())
    }
}
