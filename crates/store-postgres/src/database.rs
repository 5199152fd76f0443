//! The database as the store sees it: snapshots, transactions, watchers, wake-ups.

use std::{sync::Arc, time::Duration};

use names::Workspace;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use store::tables::{Read, Tables, TablesError, WatcherRow, Write};
use tokio::sync::watch;

use crate::{
    Config, OpenError,
    error::{tables_error, unavailable},
    migrate,
    session::{Session, Statement},
    wake::Listener,
};

/// How long [`Tables::close`] waits for calls that are still running.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Keyward's tables in a Postgres database whose migrations were run.
#[derive(Debug)]
pub struct Postgres {
    inner: Arc<Inner>,
    listener: Listener,
}

/// What transactions share with the database that they came from.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) pool: PgPool,
    pub(crate) options: PgConnectOptions,
    pub(crate) config: Config,
    pub(crate) wakes: watch::Sender<u64>,
}

impl Postgres {
    /// Connects, and refuses a database that is too old or lacks a migration (see [`crate::migrate`]).
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let options = config.options()?;
        migrate::check(&config, &options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max)
            .acquire_timeout(config.acquire_timeout)
            .connect_lazy_with(options.clone());
        let wakes = watch::Sender::new(0);
        let listener = Listener::start(options.clone(), wakes.clone());
        Ok(Self { inner: Arc::new(Inner { pool, options, config, wakes }), listener })
    }

    /// One statement outside of any administrative transaction.
    async fn single(&self, statement: Statement<'_>) -> Result<(), TablesError> {
        let answer =
            tokio::time::timeout(self.inner.config.answer_timeout(), statement.execute(&self.inner.pool));
        match answer.await {
            Ok(done) => done.map(drop).map_err(tables_error),
            Err(_) => Err(unavailable("no answer within the limit")),
        }
    }
}

#[async_trait::async_trait]
impl Tables for Postgres {
    async fn read(&self, workspace: &Workspace) -> Result<Box<dyn Read>, TablesError> {
        Ok(Box::new(Session::read(&self.inner, workspace).await?))
    }

    async fn write(&self, workspace: &Workspace) -> Result<Box<dyn Write>, TablesError> {
        Ok(Box::new(Session::write(&self.inner, workspace).await?))
    }

    async fn note_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError> {
        let statement = sqlx::query(
            "INSERT INTO watchers (workspace, role, replica, provider, epoch, revision, seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (workspace, role, replica, provider) DO UPDATE \
             SET epoch = excluded.epoch, revision = excluded.revision, seen_at = excluded.seen_at",
        );
        let statement = keys(statement, workspace, row).bind(row.epoch).bind(row.revision).bind(row.seen_at);
        self.single(statement).await
    }

    async fn forget_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError> {
        let statement = sqlx::query(
            "DELETE FROM watchers WHERE workspace = $1 AND role = $2 AND replica = $3 AND provider = $4",
        );
        self.single(keys(statement, workspace, row)).await
    }

    fn wakes(&self) -> watch::Receiver<u64> {
        self.inner.wakes.subscribe()
    }

    async fn close(&self) {
        self.listener.stop();
        if tokio::time::timeout(CLOSE_TIMEOUT, self.inner.pool.close()).await.is_err() {
            tracing::warn!("calls to the database were still running when it was closed");
        }
    }
}

fn keys<'q>(statement: Statement<'q>, workspace: &'q Workspace, row: &'q WatcherRow) -> Statement<'q> {
    statement.bind(workspace.as_str()).bind(&row.role).bind(&row.replica).bind(&row.provider)
}
