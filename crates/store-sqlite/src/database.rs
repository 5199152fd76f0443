//! The database as the store sees it: snapshots, transactions, watchers, wake-ups.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use names::Workspace;
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};
use store::tables::{Read, Tables, TablesError, WatcherRow, Write};
use tokio::sync::watch;

use crate::{
    Config, OpenError,
    folder::{self, Held},
    migrate,
    session::{Session, Statement},
};

/// How long [`Tables::close`] waits for calls that are still running.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Keyward's tables in a SQLite file that this process alone writes.
#[derive(Debug)]
pub struct Sqlite {
    pub(crate) inner: Arc<Inner>,
}

/// What transactions share with the database that they came from.
#[derive(Debug)]
pub(crate) struct Inner {
    /// One connection: whoever has it is the writer, the others wait in the order in which they came.
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) config: Config,
    wakes: watch::Sender<u64>,
    /// Given up at the end, once the connections are closed.
    held: Mutex<Option<Held>>,
}

impl Sqlite {
    /// Takes the folder, makes the database if there is none, and runs the migrations.
    ///
    /// # Errors
    /// [`OpenError::InUse`] where another process, or another store of this one, has the folder.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let held = folder::hold(&config.folder)?;
        let path = config.file();
        folder::make_file(&path)?;

        // Before anything is set that stands in the file.
        migrate::refuse_others(&config, &path).await?;
        let pool = pool(&config).max_connections(1);
        let writer =
            pool.connect_with(config.writing()).await.map_err(|error| migrate::garbled(&path, error))?;
        let mut connection = writer.acquire().await?;
        migrate::migrate(&mut connection).await?;
        drop(connection);

        let readers = pool_of_readers(&config);
        let (wakes, held) = (watch::Sender::new(0), Mutex::new(Some(held)));
        Ok(Self { inner: Arc::new(Inner { writer, readers, config, wakes, held }) })
    }

    /// One statement outside of any administrative transaction. SQLite lets nobody write while somebody else does: it waits.
    async fn single(&self, statement: Statement<'_>) -> Result<(), TablesError> {
        let mut session = Session::begin_write(&self.inner, &Workspace::default()).await?;
        session.execute(statement).await?;
        session.end(false).await.map_err(|error| TablesError::Unavailable(error.into()))
    }
}

fn pool(config: &Config) -> SqlitePoolOptions {
    // A connection to a file does not go stale.
    let pool = SqlitePoolOptions::new().max_lifetime(None).idle_timeout(None).test_before_acquire(false);
    pool.acquire_timeout(config.acquire_timeout)
}

fn pool_of_readers(config: &Config) -> SqlitePool {
    pool(config).max_connections(config.readers_max).connect_lazy_with(config.reading())
}

impl Inner {
    pub(crate) fn wake(&self) {
        self.wakes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[async_trait::async_trait]
impl Tables for Sqlite {
    async fn read(&self, workspace: &Workspace) -> Result<Box<dyn Read>, TablesError> {
        Ok(Box::new(Session::begin_read(&self.inner, workspace).await?))
    }

    async fn write(&self, workspace: &Workspace) -> Result<Box<dyn Write>, TablesError> {
        Ok(Box::new(Session::begin_write(&self.inner, workspace).await?))
    }

    async fn note_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError> {
        let statement = sqlx::query(
            "INSERT INTO watchers (workspace, role, replica, provider, epoch, revision, seen_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (workspace, role, replica, provider) DO UPDATE \
             SET epoch = excluded.epoch, revision = excluded.revision, seen_at = excluded.seen_at",
        );
        let statement = keys(statement, workspace, row).bind(row.epoch).bind(row.revision).bind(row.seen_at);
        self.single(statement).await
    }

    async fn forget_watcher(&self, workspace: &Workspace, row: &WatcherRow) -> Result<(), TablesError> {
        let statement = sqlx::query(
            "DELETE FROM watchers WHERE workspace = ?1 AND role = ?2 AND replica = ?3 AND provider = ?4",
        );
        self.single(keys(statement, workspace, row)).await
    }

    fn wakes(&self) -> watch::Receiver<u64> {
        self.inner.wakes.subscribe()
    }

    async fn close(&self) {
        let closed = async {
            self.inner.readers.close().await;
            // Last: whoever closes the last connection tidies the write-ahead log away, and readers cannot write.
            self.inner.writer.close().await;
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::warn!("calls to the database were still running when it was closed");
        }
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn keys<'q>(statement: Statement<'q>, workspace: &'q Workspace, row: &'q WatcherRow) -> Statement<'q> {
    statement.bind(workspace.as_str()).bind(&row.role).bind(&row.replica).bind(&row.provider)
}
