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

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, error::Error, fmt};

    use names::Workspace;
    use sqlx::error::{DatabaseError, ErrorKind};
    use store::tables::{AuditRow, Meta, Tables as _, TablesError};

    use super::*;
    use crate::{Config, Sqlite};

    /// SQLite's answer with this extended code (<https://www.sqlite.org/rescode.html>).
    #[derive(Debug)]
    struct Answer(i64);

    impl fmt::Display for Answer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "code {}", self.0)
        }
    }

    impl Error for Answer {}

    impl DatabaseError for Answer {
        fn message(&self) -> &'static str {
            "as the test says"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.to_string().into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn what_a_commits_answer_says_of_its_outcome() {
        let answered = |code| commit_error(sqlx::Error::Database(Box::new(Answer(code))));
        for (name, code) in [("BUSY", 5), ("BUSY_SNAPSHOT", 517), ("LOCKED", 6), ("FULL", 13)] {
            let error = answered(code);
            let away = matches!(error, CommitError::NotCommitted(TablesError::Unavailable(_)));
            assert!(away, "{name}: {error:?}");
        }
        // Deferred foreign keys are checked by COMMIT; ours are not deferred, so that it would be a defect.
        let error = answered(787);
        assert!(matches!(error, CommitError::NotCommitted(TablesError::Defect(_))), "{error:?}");
        for (name, code) in [("IOERR", 10), ("IOERR_WRITE", 778), ("IOERR_FSYNC", 1034)] {
            assert!(matches!(answered(code), CommitError::Unknown), "{name}");
        }
        assert!(matches!(commit_error(sqlx::Error::WorkerCrashed), CommitError::Unknown));
    }

    fn audit(detail: String) -> AuditRow {
        let word = || "word".to_owned();
        let (action, object, outcome, request_id) = (word(), word(), word(), word());
        AuditRow {
            seq: 0,
            at: 1,
            actor: None,
            actor_kind: word(),
            action,
            object,
            object_version: None,
            outcome,
            request_id,
            revision: 1,
            source: None,
            detail,
            prev: Vec::new(),
            mac: Vec::new(),
        }
    }

    /// The real thing: the file may not grow, a change does not fit, and what there is stays as it was.
    #[tokio::test]
    async fn a_full_disk_takes_no_change_and_loses_none() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Sqlite::open(Config::new(folder.path())).await.unwrap();
        let workspace = Workspace::default();
        let mut rows = tables.write(&workspace).await.unwrap();
        rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
        rows.commit().await.unwrap();

        let mut writer = tables.inner.writer.acquire().await.unwrap();
        // As few pages as there are; a limit of the connection, which a new one does not have.
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *writer).await.unwrap();
        drop(writer);
        let mut rows = tables.write(&workspace).await.unwrap();
        rows.put_meta(Meta { revision: 2, ..Meta::default() }).await.unwrap();
        let refused = rows.append_audit(&audit("x".repeat(1 << 20))).await;
        assert!(matches!(refused, Err(TablesError::Unavailable(_))), "{refused:?}");
        let committed = rows.commit().await;
        assert!(matches!(committed, Err(CommitError::NotCommitted(_))), "{committed:?}");

        let mut rows = tables.write(&workspace).await.unwrap();
        assert_eq!(rows.meta().await.unwrap().revision, 1);
        rows.append_audit(&audit("small".to_owned())).await.unwrap();
        rows.commit().await.unwrap();
    }
}
