//! The end of a transaction, and what to do when its answer is lost.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use sqlx_core::transaction::TransactionManager as _;
use store::tables::{CommitError, TablesError};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    database::Inner,
    error::{is_connection_lost, tables_error, unavailable},
    session::{Manager, Session, State},
    wake::CHANNEL,
};

/// Between two questions for an outcome that is not known yet: a server that restarts takes a moment.
const ASK_AGAIN: Duration = Duration::from_millis(100);

impl Session {
    /// Commits. `Ok`: certainly committed. `NotCommitted`: certainly not.
    pub(crate) async fn end(mut self) -> Result<(), CommitError> {
        if self.state != State::Open {
            return Err(not_committed(unavailable("a statement of the transaction failed")));
        }
        let notify = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL);
        self.rows(notify).await.map_err(not_committed)?;

        self.state = State::Broken;
        let limit = self.inner.config.answer_timeout();
        match timeout(limit, Manager::commit(&mut self.connection)).await {
            Ok(Ok(())) => {
                self.state = State::Ended;
                self.inner.wake();
                Ok(())
            }
            Ok(Err(error)) if !is_connection_lost(&error) => {
                self.state = State::Failed;
                Err(not_committed(tables_error(error)))
            }
            Ok(Err(error)) => self.resolve(&error).await,
            Err(elapsed) => self.resolve(&elapsed).await,
        }
    }

    /// COMMIT was sent and the answer did not come: asks the database, on a new connection.
    async fn resolve(&self, why: &(dyn std::error::Error + Sync)) -> Result<(), CommitError> {
        let outcome = self.inner.outcome(&self.transaction).await;
        tracing::warn!(cause = why.to_string(), ?outcome, "the answer to a commit was lost");
        match outcome {
            Outcome::Committed => {
                self.inner.wake();
                Ok(())
            }
            Outcome::Aborted => Err(not_committed(unavailable("the connection was lost at the commit"))),
            Outcome::Unknown => Err(CommitError::Unknown),
        }
    }
}

fn not_committed(error: TablesError) -> CommitError {
    CommitError::NotCommitted(error)
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Committed,
    Aborted,
    Unknown,
}

impl Inner {
    pub(crate) fn wake(&self) {
        self.wakes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Asks until there is an answer or `outcome_timeout` is over. Not through the pool: its connections may all be
    /// waiting for the server that does not answer.
    async fn outcome(&self, transaction: &str) -> Outcome {
        let deadline = Instant::now() + self.config.outcome_timeout;
        while Instant::now() < deadline {
            match timeout_at(deadline, self.ask(transaction)).await {
                Ok(Ok(status)) => match status.as_deref() {
                    Some("committed") => return Outcome::Committed,
                    Some("aborted") => return Outcome::Aborted,
                    // Its backend has not noticed yet that nobody is there.
                    Some("in progress") => {}
                    // Too long ago, or not a transaction of this server: it was replaced by another.
                    _ => return Outcome::Unknown,
                },
                // In the future: this server is not the one that gave out the id.
                Ok(Err(sqlx::Error::Database(refusal))) if refusal.code().as_deref() == Some("22023") => {
                    return Outcome::Unknown;
                }
                Ok(Err(_)) | Err(_) => {}
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
        Outcome::Unknown
    }

    async fn ask(&self, transaction: &str) -> Result<Option<String>, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let status = sqlx::query_scalar("SELECT pg_xact_status($1::xid8)")
            .bind(transaction)
            .fetch_one(&mut connection);
        let status = status.await?;
        // The answer counts, also where saying goodbye fails.
        drop(connection.close().await);
        Ok(status)
    }
}
