//! A snapshot or a transaction: one connection from its BEGIN to its end, with a limit on every answer.

use std::{future::Future, sync::Arc};

use names::Workspace;
use sqlx::{
    Database, SqlStr, SqliteConnection,
    pool::PoolConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use sqlx_core::transaction::TransactionManager as _;
use store::tables::TablesError;

use crate::{
    database::Inner,
    error::{leaves_transaction, tables_error, unavailable},
};

/// A statement and its parameters.
pub(crate) type Statement<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

pub(crate) type Manager = <sqlx::Sqlite as Database>::TransactionManager;

/// As of one moment: the snapshot is taken by its first statement.
const BEGIN_READ: &str = "BEGIN DEFERRED";
/// Takes the lock at once. A transaction that took it at its first write could find that its snapshot is too old.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// An open snapshot or transaction. Dropped before its end, it is rolled back.
pub(crate) struct Session {
    pub(crate) connection: PoolConnection<sqlx::Sqlite>,
    pub(crate) inner: Arc<Inner>,
    pub(crate) state: State,
    workspace: String,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Statements can be run.
    Open,
    /// A statement was refused: nothing of the transaction may stay.
    Failed,
    /// What the connection holds is not known, or an answer is coming that nobody waits for.
    Broken,
    /// Committed.
    Ended,
}

impl Session {
    /// A snapshot.
    pub(crate) async fn begin_read(inner: &Arc<Inner>, workspace: &Workspace) -> Result<Self, TablesError> {
        let connection = inner.readers.acquire().await.map_err(tables_error)?;
        Self::begin(inner, connection, workspace, BEGIN_READ).await
    }

    /// The one transaction that writes: waits for the ones before it, at most `acquire_timeout`.
    pub(crate) async fn begin_write(inner: &Arc<Inner>, workspace: &Workspace) -> Result<Self, TablesError> {
        let connection = inner.writer.acquire().await.map_err(tables_error)?;
        Self::begin(inner, connection, workspace, BEGIN_WRITE).await
    }

    async fn begin(
        inner: &Arc<Inner>,
        connection: PoolConnection<sqlx::Sqlite>,
        workspace: &Workspace,
        begin: &'static str,
    ) -> Result<Self, TablesError> {
        let workspace = workspace.as_str().to_owned();
        let mut session = Self { connection, inner: Arc::clone(inner), state: State::Open, workspace };
        session.answer(|connection| Manager::begin(connection, Some(SqlStr::from_static(begin)))).await?;
        Ok(session)
    }

    /// A statement whose first parameter is the workspace.
    pub(crate) fn query<'q>(&self, statement: &'static str) -> Statement<'q> {
        sqlx::query(statement).bind(self.workspace.clone())
    }

    /// All rows of a statement's answer.
    pub(crate) async fn rows(&mut self, query: Statement<'_>) -> Result<Vec<SqliteRow>, TablesError> {
        self.answer(|connection| query.fetch_all(connection)).await
    }

    /// How many rows a statement wrote.
    pub(crate) async fn execute(&mut self, query: Statement<'_>) -> Result<u64, TablesError> {
        self.answer(|connection| async { Ok(query.execute(connection).await?.rows_affected()) }).await
    }

    /// Waits for an answer, within the limit.
    async fn answer<'s, T, F: Future<Output = Result<T, sqlx::Error>>>(
        &'s mut self,
        ask: impl FnOnce(&'s mut SqliteConnection) -> F,
    ) -> Result<T, TablesError> {
        if self.state != State::Open {
            return Err(TablesError::Defect("the transaction has ended".into()));
        }
        // Until the answer is there: a future that is dropped in between leaves the connection as it is.
        self.state = State::Broken;
        match tokio::time::timeout(self.inner.config.answer_timeout, ask(&mut self.connection)).await {
            Ok(Ok(answer)) => {
                self.state = State::Open;
                Ok(answer)
            }
            Ok(Err(error)) => {
                self.state = if leaves_transaction(&error) { State::Failed } else { State::Broken };
                Err(tables_error(error))
            }
            Err(_) => Err(unavailable("no answer within the limit")),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match self.state {
            // Rolled back by the connection's thread before it takes another statement.
            State::Open | State::Failed => Manager::start_rollback(&mut self.connection),
            // Closing rolls back.
            State::Broken => self.connection.close_on_drop(),
            State::Ended => {}
        }
    }
}
