//! What becomes of a failure of the tables or the seal: the log gets the cause, the caller one of few words.

use fault::chain;
use seal::SealError;

use crate::{
    StoreError,
    tables::{CommitError, TablesError, convert::Garbled},
};

impl From<TablesError> for StoreError {
    /// A key that is taken is answered where the rule is known; one that gets here is a defect like any other.
    fn from(error: TablesError) -> Self {
        match error {
            TablesError::Unavailable(_) => {
                tracing::warn!(cause = chain(&error), "the database is not available");
                Self::Unavailable
            }
            TablesError::Taken(_) | TablesError::Defect(_) => {
                tracing::error!(cause = chain(&error), "the tables failed");
                Self::Internal
            }
        }
    }
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::NotCommitted(error) => error.into(),
            CommitError::Unknown => {
                tracing::error!("the outcome of a commit is unknown");
                Self::OutcomeUnknown
            }
        }
    }
}

impl From<Garbled> for StoreError {
    fn from(garbled: Garbled) -> Self {
        TablesError::from(garbled).into()
    }
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        tracing::error!(cause = chain(&error), "a secret was not sealed or does not open");
        Self::Internal
    }
}
