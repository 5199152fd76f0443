//! What becomes of a failure of the tables or the seal: the log gets the cause, the caller one of few words.

use std::error::Error;

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

/// An error and its sources, in one line. A source that an error's own text ends with, as libraries of databases have it,
/// is not said again.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("relation \"x\" does not exist at line 334")]
    struct Server;

    #[derive(Debug, thiserror::Error)]
    #[error("error returned from database: {0}")]
    struct Library(#[source] Server);

    #[derive(Debug, thiserror::Error)]
    #[error("the tables failed")]
    struct Ours(#[source] Library);

    #[test]
    fn nothing_is_said_twice() {
        let said = chain(&Ours(Library(Server)));
        assert_eq!(
            said,
            "the tables failed: error returned from database: relation \"x\" does not exist at line 334"
        );
    }
}
