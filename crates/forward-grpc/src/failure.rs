//! `ForwardError` and `BodyError` to gRPC status and back: the one place each way.
//!
//! The variant travels in the status details (`Failure`). A status without them was made by a transport or by something
//! that is no forwarder; then the question is whether the forwarder can have begun.

use std::{error::Error, time::Duration};

use fault::Fault;
use forward::{BodyError, ForwardError, Limit};
use prost::Message as _;
use proto::forward::v1::Failure;
use tonic::{Code, ConnectError, Status};

use crate::sentence::fixed;

const BROKEN: &str = "broken";
const TIMED_OUT: &str = "timed_out";
const TOO_LARGE: &str = "too_large";
const DRAINING: &str = "draining";

/// Why there is no answer, for the edge.
pub(crate) fn of_call(error: &ForwardError) -> Status {
    let mut failure = Failure { kind: error.kind().to_owned(), ..Failure::default() };
    match error {
        ForwardError::Misconfigured(said)
        | ForwardError::KeyRefused(said)
        | ForwardError::Unreachable(said)
        | ForwardError::Garbled(said) => {
            (*said).clone_into(&mut failure.said);
        }
        ForwardError::TimedOut { limit, after } => {
            limit.as_str().clone_into(&mut failure.limit);
            failure.after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        }
        ForwardError::TooLarge { max } => failure.max = *max,
        ForwardError::UnknownTarget
        | ForwardError::DestinationBlocked
        | ForwardError::Disconnected
        | ForwardError::RequestBroken
        | ForwardError::ForwarderUnavailable
        | ForwardError::Internal => {}
    }
    status(error.fault(), error.to_string(), &failure)
}

/// Why an answer's body did not come to its end, for the edge.
pub(crate) fn of_body(error: &BodyError) -> Status {
    let mut failure = Failure::default();
    let (kind, fault) = match error {
        BodyError::Broken(said) => {
            (*said).clone_into(&mut failure.said);
            (BROKEN, Fault::BadGateway)
        }
        BodyError::TimedOut(limit) => {
            limit.as_str().clone_into(&mut failure.limit);
            (TIMED_OUT, Fault::Timeout)
        }
        BodyError::TooLarge { max } => {
            failure.max = *max;
            (TOO_LARGE, Fault::TooLarge)
        }
        BodyError::Draining => (DRAINING, Fault::Unavailable),
    };
    kind.clone_into(&mut failure.kind);
    status(fault, error.to_string(), &failure)
}

fn status(fault: Fault, text: String, failure: &Failure) -> Status {
    Status::with_details(Code::from_i32(fault.row().grpc), text, failure.encode_to_vec().into())
}

/// Why there is no answer, as the edge is told it.
pub(crate) fn to_call(status: &Status) -> ForwardError {
    told(status).and_then(|failure| call_error(&failure)).unwrap_or_else(|| match reached(status) {
        Reached::Never => ForwardError::ForwarderUnavailable,
        Reached::Perhaps => ForwardError::Disconnected,
        Reached::Foreign => {
            tracing::error!(code = ?status.code(), "what answers is no forwarder of this version");
            ForwardError::ForwarderUnavailable
        }
    })
}

/// Why a body broke, as the edge is told it.
pub(crate) fn to_body(status: &Status) -> BodyError {
    told(status)
        .and_then(|failure| body_error(&failure))
        .unwrap_or(BodyError::Broken("the connection to its forwarder broke"))
}

fn told(status: &Status) -> Option<Failure> {
    if status.details().is_empty() {
        return None;
    }
    Failure::decode(status.details()).ok()
}

fn call_error(failure: &Failure) -> Option<ForwardError> {
    let plain = [
        ForwardError::UnknownTarget,
        ForwardError::DestinationBlocked,
        ForwardError::Disconnected,
        ForwardError::RequestBroken,
        ForwardError::ForwarderUnavailable,
        ForwardError::Internal,
    ];
    if let Some(error) = plain.into_iter().find(|error| error.kind() == failure.kind) {
        return Some(error);
    }
    Some(match failure.kind.as_str() {
        "misconfigured" => ForwardError::Misconfigured(fixed(&failure.said)),
        "key_refused" => ForwardError::KeyRefused(fixed(&failure.said)),
        "unreachable" => ForwardError::Unreachable(fixed(&failure.said)),
        "garbled" => ForwardError::Garbled(fixed(&failure.said)),
        TIMED_OUT => ForwardError::TimedOut {
            limit: limit(&failure.limit)?,
            after: Duration::from_millis(failure.after_ms),
        },
        TOO_LARGE => ForwardError::TooLarge { max: failure.max },
        _ => return None,
    })
}

fn body_error(failure: &Failure) -> Option<BodyError> {
    Some(match failure.kind.as_str() {
        BROKEN => BodyError::Broken(fixed(&failure.said)),
        TIMED_OUT => BodyError::TimedOut(limit(&failure.limit)?),
        TOO_LARGE => BodyError::TooLarge { max: failure.max },
        DRAINING => BodyError::Draining,
        _ => return None,
    })
}

fn limit(word: &str) -> Option<Limit> {
    Limit::ALL.into_iter().find(|limit| limit.as_str() == word)
}

/// How far a call came that the forwarder itself did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// No forwarder saw it.
    Never,
    /// It was sent, and what became of it is not known.
    Perhaps,
    /// Something answered that does not know the service; it did not call a provider.
    Foreign,
}

fn reached(status: &Status) -> Reached {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<ConnectError>() || error.downcast_ref::<h2::Error>().is_some_and(never_begun) {
            return Reached::Never;
        }
        source = error.source();
    }
    match status.code() {
        Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied => Reached::Foreign,
        _ => Reached::Perhaps,
    }
}

/// RFC 9113, sections 6.8 and 8.7: a refused stream, and a stream above the last one of a going-away, were not looked at.
fn never_begun(error: &h2::Error) -> bool {
    let refused = error.reason() == Some(h2::Reason::REFUSED_STREAM) && error.is_remote();
    refused || (error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_call_error() -> Vec<ForwardError> {
        let mut all = vec![
            ForwardError::UnknownTarget,
            ForwardError::Misconfigured("its secret is gone"),
            ForwardError::DestinationBlocked,
            ForwardError::Unreachable("the name has no address"),
            ForwardError::Disconnected,
            ForwardError::Garbled("it redirects"),
            ForwardError::RequestBroken,
            ForwardError::TooLarge { max: 140_000_000 },
            ForwardError::ForwarderUnavailable,
            ForwardError::Internal,
        ];
        all.extend(
            Limit::ALL.map(|limit| ForwardError::TimedOut { limit, after: Duration::from_millis(1_234) }),
        );
        all
    }

    #[test]
    fn every_error_of_a_call_comes_back_exactly() {
        for error in every_call_error() {
            let status = of_call(&error);
            assert_eq!(to_call(&status), error);
            assert_eq!(status.code() as i32, error.fault().row().grpc, "{error:?}");
            assert_eq!(status.message(), error.to_string());
        }
    }

    #[test]
    fn every_error_of_a_body_comes_back_exactly() {
        let mut all = vec![
            BodyError::Broken("the provider closed the connection"),
            BodyError::TooLarge { max: 7 },
            BodyError::Draining,
        ];
        all.extend(Limit::ALL.map(BodyError::TimedOut));
        for error in all {
            assert_eq!(to_body(&of_body(&error)), error);
        }
    }

    #[test]
    fn a_connection_that_was_never_made_promises_that_nothing_happened() {
        let status = Status::from_error(Box::new(ConnectError("refused".into())));
        assert_eq!(to_call(&status), ForwardError::ForwarderUnavailable);
    }

    #[test]
    fn a_connection_that_broke_promises_nothing() {
        for code in
            [Code::Unavailable, Code::Cancelled, Code::Unknown, Code::Internal, Code::DeadlineExceeded]
        {
            let error = to_call(&Status::new(code, "h2 protocol error at 10.0.0.7"));
            assert_eq!(error, ForwardError::Disconnected, "{code:?}");
            assert!(!error.certainly_not_acted());
        }
        let reset = Status::from_error(Box::new(h2::Error::from(h2::Reason::INTERNAL_ERROR)));
        assert_eq!(to_call(&reset), ForwardError::Disconnected);
    }

    #[test]
    fn a_foreign_status_or_garbage_keeps_its_text_to_itself() {
        let status = Status::new(Code::Unimplemented, "no such thing at 10.0.0.7");
        assert_eq!(to_call(&status), ForwardError::ForwarderUnavailable);
        let garbage = Status::with_details(Code::Internal, "10.0.0.7", vec![0xff; 9].into());
        assert_eq!(to_call(&garbage), ForwardError::Disconnected);
        assert!(!to_body(&garbage).to_string().contains("10.0.0.7"));
        let later = Failure { kind: "of_a_later_version".into(), ..Failure::default() };
        let later = Status::with_details(Code::Internal, "x", later.encode_to_vec().into());
        assert_eq!(to_call(&later), ForwardError::Disconnected);
    }
}
