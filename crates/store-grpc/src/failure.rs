//! `StoreError` to gRPC status and back: the one place each way.
//!
//! The exact variant and its text travel in the status details (`StoreFailure`). A status without them was made by the
//! transport, and then it matters whether the call was a change: only a connection that was never made proves that
//! nothing happened.

use prost::Message as _;
use proto::store::v1::{FailureKind, StoreFailure};
use store::StoreError;
use tonic::{Code, ConnectError, Status};

use crate::convert::Malformed;

/// What a client of the store is told.
pub(crate) fn to_status(error: StoreError) -> Status {
    let code = Code::from_i32(error.fault().row().grpc);
    let text = error.to_string();
    let (kind, said) = match error {
        StoreError::Invalid(said) => (FailureKind::Invalid, said),
        StoreError::FailedPrecondition(said) => (FailureKind::FailedPrecondition, said),
        StoreError::NotFound(said) => (FailureKind::NotFound, said),
        StoreError::AlreadyExists(said) => (FailureKind::AlreadyExists, said),
        StoreError::Unavailable => (FailureKind::Unavailable, String::new()),
        StoreError::OutcomeUnknown => (FailureKind::OutcomeUnknown, String::new()),
        StoreError::Internal => (FailureKind::Internal, String::new()),
    };
    let details = StoreFailure { kind: kind.into(), said }.encode_to_vec();
    Status::with_details(code, text, details.into())
}

/// A request that does not mean anything.
pub(crate) fn malformed_request(malformed: &Malformed) -> Status {
    to_status(StoreError::Invalid(malformed.to_string()))
}

/// An answer that does not mean anything: a store of another version, or none at all.
pub(crate) fn malformed_answer(malformed: &Malformed) -> StoreError {
    tracing::error!(cause = %malformed, "the store's answer cannot be read");
    StoreError::Internal
}

/// The error of a call that changes nothing.
pub(crate) fn of_read(status: &Status) -> StoreError {
    told(status).unwrap_or_else(|| match transport(status) {
        Some(_) => StoreError::Unavailable,
        None => other(status),
    })
}

/// The transport's own words, with their sources; none where the store itself answered.
pub(crate) fn of_transport(status: &Status) -> Option<String> {
    let lower = std::error::Error::source(status).map(fault::chain);
    status.details().is_empty().then(|| match lower {
        Some(lower) => lower,
        None => format!("{}: {}", status.code(), status.message()),
    })
}

/// The error of a change: unless the store was never reached, what became of it is not known.
pub(crate) fn of_change(status: &Status) -> StoreError {
    told(status).unwrap_or_else(|| match transport(status) {
        Some(Reached::Never) => StoreError::Unavailable,
        Some(Reached::Perhaps) => StoreError::OutcomeUnknown,
        None => other(status),
    })
}

/// What the store itself said.
fn told(status: &Status) -> Option<StoreError> {
    if status.details().is_empty() {
        return None;
    }
    let failure = StoreFailure::decode(status.details()).ok()?;
    Some(match FailureKind::try_from(failure.kind).ok()? {
        FailureKind::Unspecified => return None,
        FailureKind::Invalid => StoreError::Invalid(failure.said),
        FailureKind::FailedPrecondition => StoreError::FailedPrecondition(failure.said),
        FailureKind::NotFound => StoreError::NotFound(failure.said),
        FailureKind::AlreadyExists => StoreError::AlreadyExists(failure.said),
        FailureKind::Unavailable => StoreError::Unavailable,
        FailureKind::OutcomeUnknown => StoreError::OutcomeUnknown,
        FailureKind::Internal => StoreError::Internal,
    })
}

/// How far a call came whose connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Never,
    Perhaps,
}

fn transport(status: &Status) -> Option<Reached> {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<ConnectError>() {
            return Some(Reached::Never);
        }
        source = error.source();
    }
    // `Unknown` and `Internal` with a source are what tonic makes of errors of h2 and hyper.
    let broken = matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded);
    let from_below = std::error::Error::source(status).is_some() || status.code() == Code::Unknown;
    (broken || from_below).then_some(Reached::Perhaps)
}

/// A status of the peer's gRPC library: an unknown method, a message beyond the limit, a proxy in between.
fn other(status: &Status) -> StoreError {
    if status.code() == Code::PermissionDenied {
        // Of our own making (`trust::Guard`): it holds no secret, and says which certificate is the wrong one.
        tracing::error!(why = status.message(), "the store refused this process");
        return StoreError::Internal;
    }
    tracing::error!(code = ?status.code(), "the store answered outside its protocol");
    match status.code() {
        Code::ResourceExhausted | Code::OutOfRange => {
            StoreError::Invalid("the request or its answer is larger than the store's limit".to_owned())
        }
        _ => StoreError::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_error() -> Vec<StoreError> {
        let said = || "`name` must be given, \u{1F511} too".to_owned();
        vec![
            StoreError::Invalid(said()),
            StoreError::FailedPrecondition(said()),
            StoreError::NotFound(said()),
            StoreError::AlreadyExists(said()),
            StoreError::Unavailable,
            StoreError::OutcomeUnknown,
            StoreError::Internal,
        ]
    }

    #[test]
    fn every_error_comes_back_exactly() {
        for error in every_error() {
            let status = to_status(error.clone());
            assert_eq!(of_read(&status), error);
            assert_eq!(of_change(&status), error);
            assert_eq!(status.code() as i32, error.fault().row().grpc);
        }
    }

    #[test]
    fn what_the_transport_says_of_a_change_is_that_nobody_knows() {
        for code in [Code::Unavailable, Code::Cancelled, Code::DeadlineExceeded, Code::Unknown] {
            let status = Status::new(code, "h2 protocol error at 10.0.0.7");
            assert_eq!(of_read(&status), StoreError::Unavailable, "{code:?}");
            assert_eq!(of_change(&status), StoreError::OutcomeUnknown, "{code:?}");
        }
    }

    #[test]
    fn a_connection_that_was_never_made_changed_nothing() {
        let status = Status::from_error(Box::new(ConnectError("refused".into())));
        assert_eq!(of_change(&status), StoreError::Unavailable);
    }

    #[test]
    fn a_foreign_status_is_a_defect_and_its_text_goes_nowhere() {
        let status = Status::new(Code::Unimplemented, "no such thing at 10.0.0.7");
        assert_eq!(of_change(&status), StoreError::Internal);
        let garbage = Status::with_details(Code::Internal, "x", vec![0xff; 9].into());
        assert_eq!(of_change(&garbage), StoreError::Internal);
    }
}
