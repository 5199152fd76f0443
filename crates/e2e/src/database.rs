//! A Postgres database of one test.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::machine;

/// Bytes that are read of one file: more than a test writes, and than a segment of the log.
const FILE_MAX: i64 = 64 * 1024 * 1024;

/// A database on the cluster that `cargo xtask test` started; the cluster is thrown away with all of them.
#[derive(Debug, Clone)]
pub struct Database {
    name: String,
    cluster: String,
    /// Where the cluster's write-ahead log was when this database was made.
    log_start: String,
}

impl Database {
    /// Makes an empty one. None where there is no Postgres on this machine.
    pub async fn create() -> Result<Option<Self>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some(cluster) = machine::postgres()? else { return Ok(None) };
        let name = format!("e2e_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&cluster).await.context("connect to Postgres")?;
        let log_start =
            sqlx::query_scalar("SELECT pg_current_wal_lsn()::text").fetch_one(&mut connection).await?;
        let database = Self { name, cluster, log_start };
        database.on_cluster(&format!("CREATE DATABASE {}", database.name)).await?;
        Ok(Some(database))
    }

    /// Its URL, with the password.
    pub fn url(&self) -> String {
        let base = self.cluster.rsplit_once('/').map_or(self.cluster.as_str(), |(base, _)| base);
        format!("{base}/{}", self.name)
    }

    /// Takes it away while it is in use, as far as its users can tell the same as a server that is gone.
    pub async fn drop_by_force(&self) -> Result<()> {
        self.on_cluster(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }

    /// Shows every file that holds something of this database: its tables and indexes as they are on disk, and the
    /// cluster's write-ahead log since the database was made.
    pub async fn each_file(&self, mut show: impl FnMut(&str, &[u8])) -> Result<()> {
        let mut connection = PgConnection::connect(&self.url()).await.context("the test's database")?;
        connection.execute("CHECKPOINT").await.context("checkpoint")?;
        let files = "SELECT pg_relation_filepath(oid) FROM pg_class
                       WHERE NOT relisshared AND pg_relation_filepath(oid) IS NOT NULL
                     UNION ALL SELECT 'pg_wal/' || name FROM pg_ls_waldir()
                       WHERE name BETWEEN pg_walfile_name($1::pg_lsn) AND pg_walfile_name(pg_current_wal_lsn())";
        let files: Vec<String> = sqlx::query_scalar(files)
            .bind(&self.log_start)
            .fetch_all(&mut connection)
            .await
            .context("list the files")?;
        for file in files {
            // None where the file went away in between.
            let read =
                sqlx::query_scalar("SELECT pg_read_binary_file($1, 0, $2, true)").bind(&file).bind(FILE_MAX);
            let bytes: Option<Vec<u8>> =
                read.fetch_one(&mut connection).await.with_context(|| file.clone())?;
            show(&file, &bytes.unwrap_or_default());
        }
        Ok(())
    }

    /// Runs one statement in it.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        run(&self.url(), statement).await
    }

    async fn on_cluster(&self, statement: &str) -> Result<()> {
        run(&self.cluster, statement).await
    }
}

async fn run(url: &str, statement: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await.context("connect to Postgres")?;
    let done = connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await;
    done.with_context(|| statement.to_owned())?;
    connection.close().await.context("disconnect")
}
