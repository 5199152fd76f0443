//! The end of a transaction.

use sqlx_core::transaction::TransactionManager as _;
use store::tables::CommitError;
use tokio::time::timeout;

use crate::{
    error::{leaves_doubt, tables_error, unavailable},
    session::{Manager, Session, State},
};

impl Session {
    /// Commits. `Ok`: certainly committed, and on the disk. `NotCommitted`: certainly not.
    pub(crate) async fn end(mut self, wake: bool) -> Result<(), CommitError> {
        if self.state != State::Open {
            return Err(CommitError::NotCommitted(unavailable("a statement of the transaction failed")));
        }
        self.state = State::Broken;
        let limit = self.inner.config.answer_timeout;
        match timeout(limit, Manager::commit(&mut self.connection)).await {
            Ok(Ok(())) => {
                self.state = State::Ended;
                if wake {
                    self.inner.wake();
                }
                Ok(())
            }
            Ok(Err(error)) => Err(commit_error(error)),
            Err(_) => Err(CommitError::Unknown),
        }
    }
}

/// A full disk or a lock is noticed before the mark of the commit is written; after an I/O error it may stand on the disk.
fn commit_error(error: sqlx::Error) -> CommitError {
    if leaves_doubt(&error) {
        tracing::warn!(cause = error.to_string(), "the answer to a commit leaves its outcome open");
        return CommitError::Unknown;
    }
    CommitError::NotCommitted(tables_error(error))
}
