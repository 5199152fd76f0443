//! Brings a database up to this program's tables.

use sqlx::{
    Connection as _, PgConnection,
    migrate::{AppliedMigration, Migrate as _, MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use store::tables::KeyCheckRow;

use crate::{Config, OpenError};

/// Embedded at build; each runs in a transaction of its own.
static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// The oldest version with what the tables use (`ON DELETE SET NULL (column)`), as `server_version_num`.
const VERSION_MIN: i32 = 150_000;

/// Runs the migrations that have not been run, under an advisory lock: of several that migrate at once, one does and the
/// others wait. A newer database is refused. Returns how many had not been run.
pub async fn migrate(config: &Config) -> Result<usize, OpenError> {
    let mut connection = connect(config, &config.plain_options()?).await?;
    check_version(&mut connection).await?;
    let before = pending(&mut connection).await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(failed)?;
    connection.close().await.map_err(|error| OpenError::Unavailable(error.into()))?;
    Ok(before)
}

/// The key-check values of a database, whatever its migrations are; none: it is new. Changes nothing there: to be asked
/// before [`migrate`].
pub async fn key_checks(config: &Config) -> Result<Vec<KeyCheckRow>, OpenError> {
    let unavailable = |error: sqlx::Error| OpenError::Unavailable(error.into());
    let mut connection = connect(config, &config.plain_options()?).await?;
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass('key_checks') IS NOT NULL")
        .fetch_one(&mut connection)
        .await
        .map_err(unavailable)?;
    let rows: Vec<(String, Vec<u8>)> = if is_there {
        let rows = sqlx::query_as("SELECT kek_id, blob FROM key_checks ORDER BY kek_id");
        rows.fetch_all(&mut connection).await.map_err(unavailable)?
    } else {
        Vec::new()
    };
    connection.close().await.map_err(unavailable)?;
    Ok(rows.into_iter().map(|(kek_id, blob)| KeyCheckRow { kek_id, blob }).collect())
}

/// Refuses a server that is too old, and a database whose migrations are not exactly this program's.
pub(crate) async fn check(config: &Config, options: &PgConnectOptions) -> Result<(), OpenError> {
    let mut connection = connect(config, options).await?;
    check_version(&mut connection).await?;
    match pending(&mut connection).await? {
        0 => connection.close().await.map_err(|error| OpenError::Unavailable(error.into())),
        missing => Err(OpenError::NotMigrated(missing)),
    }
}

async fn connect(config: &Config, options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    match tokio::time::timeout(config.acquire_timeout, PgConnection::connect_with(options)).await {
        Ok(connected) => connected.map_err(|error| OpenError::Unavailable(error.into())),
        Err(elapsed) => Err(OpenError::Unavailable(elapsed.into())),
    }
}

async fn check_version(connection: &mut PgConnection) -> Result<(), OpenError> {
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(connection)
        .await
        .map_err(|error| OpenError::Unavailable(error.into()))?;
    if version < VERSION_MIN { Err(OpenError::TooOld(version / 10_000)) } else { Ok(()) }
}

/// How many of this program's migrations the database has not run. One that has run others is refused.
async fn pending(connection: &mut PgConnection) -> Result<usize, OpenError> {
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(MIGRATIONS.table_name.as_ref())
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| OpenError::Unavailable(error.into()))?;
    if !is_there {
        return Ok(MIGRATIONS.iter().count());
    }
    let applied = connection.list_applied_migrations(&MIGRATIONS.table_name).await.map_err(failed)?;
    if let Some(newer) = applied.iter().find(|applied| !MIGRATIONS.version_exists(applied.version)) {
        return Err(OpenError::Newer(newer.version));
    }
    let changed = |applied: &&AppliedMigration| {
        MIGRATIONS.iter().any(|ours| ours.version == applied.version && ours.checksum != applied.checksum)
    };
    if let Some(changed) = applied.iter().find(changed) {
        return Err(failed(MigrateError::VersionMismatch(changed.version)));
    }
    let is_applied = |version| applied.iter().any(|applied| applied.version == version);
    Ok(MIGRATIONS.iter().filter(|migration| !is_applied(migration.version)).count())
}

fn failed(error: MigrateError) -> OpenError {
    OpenError::Migration(error.into())
}
