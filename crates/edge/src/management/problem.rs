//! What the management API answers when it refuses: MLflow's JSON, whatever went wrong.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fault::Fault;
use store::StoreError;

/// A refusal. The text is for the caller: it may name fields and repeat identifiers and names, never a value of a
/// secret, SQL, or a text of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    fault: Fault,
    message: String,
}

/// An error of MLflow's, field by field (`mlflow/exceptions.py`; the last two since 3.17).
#[derive(serde::Serialize)]
struct ErrorBody<'a> {
    error_code: &'static str,
    message: &'a str,
    sqlstate: &'static str,
    error_class: &'static str,
}

impl Problem {
    pub(super) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Fault::BadRequest, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Fault::NotFound, message)
    }

    /// The status on this face. MLflow answers 400 where a name is taken, and its users match on that.
    fn status(&self) -> StatusCode {
        let fault = if self.fault == Fault::Conflict { Fault::BadRequest } else { self.fault };
        StatusCode::from_u16(fault.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// MLflow's `sqlstate` and `error_class` of an `error_code`. Where MLflow has never been seen to answer the code, the
/// class is the code itself.
fn classes(error_code: &'static str) -> (&'static str, &'static str) {
    match error_code {
        "BAD_REQUEST" => ("KAM00", "INVALID_PARAMETER_VALUE"),
        "RESOURCE_DOES_NOT_EXIST" => ("KAM00", "RESOURCE_NOT_FOUND"),
        "INTERNAL_ERROR" => ("XXM00", "CLIENT_INTERNAL_ERROR"),
        other => ("KAM00", other),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(error.fault(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error_code = self.fault.row().mlflow;
        let (sqlstate, error_class) = classes(error_code);
        let body = ErrorBody { error_code, message: &self.message, sqlstate, error_class };
        let mut response = (self.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert("keyward-error-source", HeaderValue::from_static("gateway"));
        if self.fault == Fault::Unavailable {
            // MLflow's client waits as long as this says before it asks again.
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_those_of_mlflow() {
        let status = |error: StoreError| Problem::from(error).status().as_u16();
        assert_eq!(status(StoreError::Invalid(String::new())), 400);
        assert_eq!(status(StoreError::FailedPrecondition(String::new())), 400);
        assert_eq!(status(StoreError::AlreadyExists(String::new())), 400);
        assert_eq!(status(StoreError::NotFound(String::new())), 404);
        assert_eq!(status(StoreError::OutcomeUnknown), 409);
        assert_eq!(status(StoreError::Unavailable), 503);
        assert_eq!(status(StoreError::Internal), 500);
    }

    #[test]
    fn an_unavailable_store_says_when_to_ask_again() {
        let response = Problem::from(StoreError::Unavailable).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
