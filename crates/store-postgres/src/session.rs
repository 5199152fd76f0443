//! A snapshot or a transaction: one connection from its BEGIN to its end, with a limit on every answer.

use std::{future::Future, sync::Arc};

use names::Workspace;
use sqlx::{
    Database, PgConnection, Postgres, SqlStr,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use sqlx_core::transaction::TransactionManager as _;
use store::tables::TablesError;

use crate::{
    database::Inner,
    error::{is_connection_lost, tables_error, unavailable},
};

/// A statement and its parameters.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

pub(crate) type Manager = <Postgres as Database>::TransactionManager;

/// As of one moment: the snapshot is taken by its first statement.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// Every statement sees what was committed before it; there is no other writer from the first statement on.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";

/// An open snapshot or transaction. Dropped before its end, it is rolled back.
pub(crate) struct Session {
    pub(crate) connection: PoolConnection<Postgres>,
    pub(crate) inner: Arc<Inner>,
    pub(crate) state: State,
    /// Of a transaction that writes: its id, to ask for its outcome.
    pub(crate) transaction: String,
    workspace: String,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Statements can be run.
    Open,
    /// A statement failed: Postgres refuses every other, and would answer COMMIT by a silent rollback.
    Failed,
    /// The connection is lost, or has an answer coming that nobody waits for.
    Broken,
    /// Committed.
    Ended,
}

impl Session {
    /// A snapshot.
    pub(crate) async fn read(inner: &Arc<Inner>, workspace: &Workspace) -> Result<Self, TablesError> {
        Self::begin(inner, workspace, BEGIN_READ).await
    }

    /// The one transaction that writes: waits for the one before it, at most `lock_timeout`.
    pub(crate) async fn write(inner: &Arc<Inner>, workspace: &Workspace) -> Result<Self, TablesError> {
        let mut session = Self::begin(inner, workspace, BEGIN_WRITE).await?;
        // The id comes from a statement of its own target list, once the lock is held: it is this transaction's either way.
        let lock = sqlx::query("SELECT pg_current_xact_id()::text FROM meta FOR UPDATE");
        let row = session.rows(lock).await?.pop();
        let row = row.ok_or_else(|| TablesError::Defect("the table `meta` is empty".into()))?;
        session.transaction = sqlx::Row::try_get(&row, 0).map_err(tables_error)?;
        Ok(session)
    }

    async fn begin(
        inner: &Arc<Inner>,
        workspace: &Workspace,
        begin: &'static str,
    ) -> Result<Self, TablesError> {
        let connection = inner.pool.acquire().await.map_err(tables_error)?;
        let mut session = Self {
            connection,
            inner: Arc::clone(inner),
            state: State::Open,
            transaction: String::new(),
            workspace: workspace.as_str().to_owned(),
        };
        session.answer(|connection| Manager::begin(connection, Some(SqlStr::from_static(begin)))).await?;
        Ok(session)
    }

    /// A statement whose first parameter is the workspace.
    pub(crate) fn query<'q>(&self, statement: &'static str) -> Statement<'q> {
        sqlx::query(statement).bind(self.workspace.clone())
    }

    /// All rows of a statement's answer.
    pub(crate) async fn rows(&mut self, query: Statement<'_>) -> Result<Vec<PgRow>, TablesError> {
        self.answer(|connection| query.fetch_all(connection)).await
    }

    /// How many rows a statement wrote.
    pub(crate) async fn execute(&mut self, query: Statement<'_>) -> Result<u64, TablesError> {
        self.answer(|connection| async { Ok(query.execute(connection).await?.rows_affected()) }).await
    }

    /// Waits for an answer, within the limit.
    async fn answer<'s, T, F: Future<Output = Result<T, sqlx::Error>>>(
        &'s mut self,
        ask: impl FnOnce(&'s mut PgConnection) -> F,
    ) -> Result<T, TablesError> {
        if self.state != State::Open {
            return Err(TablesError::Defect("the transaction has ended".into()));
        }
        // Until the answer is there: a future that is dropped in between leaves the connection as it is.
        self.state = State::Broken;
        match tokio::time::timeout(self.inner.config.answer_timeout(), ask(&mut self.connection)).await {
            Ok(Ok(answer)) => {
                self.state = State::Open;
                Ok(answer)
            }
            Ok(Err(error)) => {
                self.state = if is_connection_lost(&error) { State::Broken } else { State::Failed };
                Err(tables_error(error))
            }
            Err(_) => Err(unavailable("no answer within the limit")),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match self.state {
            // Rolled back by the pool before anybody else gets the connection.
            State::Open | State::Failed => Manager::start_rollback(&mut self.connection),
            // The server rolls back when the connection ends.
            State::Broken => self.connection.close_on_drop(),
            State::Ended => {}
        }
    }
}
