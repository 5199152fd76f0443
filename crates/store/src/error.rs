//! Why the store refuses or fails.

use fault::Fault;

/// Variants are named for what the caller of the seam can do. The text is for the caller: no SQL, no value, no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A field is missing, malformed or breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// The state does not allow it, e.g. a model definition that endpoints still use.
    #[error("{0}")]
    FailedPrecondition(String),
    /// What is named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// Nothing was changed: the store or its database is away. Try again later.
    #[error("the store is not available; nothing was changed")]
    Unavailable,
    /// COMMIT was sent and its outcome could not be learned.
    #[error("outcome unknown; read it back by name")]
    OutcomeUnknown,
    /// A defect, or a database that was tampered with. The cause was logged where it arose.
    #[error("internal error of the store")]
    Internal,
}

impl StoreError {
    /// What it is called on every face.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Invalid(_) => Fault::BadRequest,
            Self::FailedPrecondition(_) => Fault::FailedPrecondition,
            Self::NotFound(_) => Fault::NotFound,
            Self::AlreadyExists(_) => Fault::Conflict,
            Self::Unavailable => Fault::Unavailable,
            Self::OutcomeUnknown => Fault::OutcomeUnknown,
            Self::Internal => Fault::Internal,
        }
    }
}
