//! The few ways to fail, and what each of them is called on every face Keyward shows.
//!
//! One row a fault: HTTP status, gRPC code, the name that `google.rpc.Status` bodies carry, and the words of
//! OpenAI, Anthropic and MLflow error bodies. Nobody else in the workspace writes a status code.
//!
//! [`chain`] says an error with all its causes, for logs.
//!
//! Sources: `google/rpc/code.proto` for HTTP status and code name of each gRPC code; the providers' error pages for
//! their `type` values; MLflow 3.17's `mlflow/exceptions.py` for `error_code`.

mod chain;

pub use chain::chain;

/// A way to fail, named for what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The request cannot be understood or is not allowed to look like this; sending it again will not help.
    BadRequest,
    /// The request is well formed, but the state it needs is not there (an endpoint whose secret is gone).
    FailedPrecondition,
    /// No credential, or none that is known.
    Unauthenticated,
    /// Known, but not allowed to do this.
    Forbidden,
    /// What is named does not exist, or must not be known to exist.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The client took longer to send its request than the limit allows.
    RequestTimeout,
    /// The name is taken, or the state moved on under the request.
    Conflict,
    /// Whether the change happened is not known; reading back tells.
    OutcomeUnknown,
    /// The body is larger than the limit.
    TooLarge,
    /// The body's media type or content encoding is not one that can be taken.
    UnsupportedMedia,
    /// The request was sent to a host that is not served here.
    Misdirected,
    /// Too much in too short a time.
    RateLimited,
    /// The request line and the header fields are larger than the limit.
    HeadTooLarge,
    /// The client went away; nobody reads this answer.
    Cancelled,
    /// Something went wrong inside Keyward.
    Internal,
    /// Not built here.
    Unsupported,
    /// The provider answered something that cannot be passed on.
    BadGateway,
    /// Not now; trying again later may help.
    Unavailable,
    /// A limit on time ran out while waiting for the provider.
    Timeout,
}

/// What one fault is called on every face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// HTTP status code.
    pub http: u16,
    /// gRPC status code (`google.rpc.Code`).
    pub grpc: i32,
    /// Name of the gRPC code, as in the `status` field of Gemini error bodies.
    pub google: &'static str,
    /// `error.type` of an OpenAI error body.
    pub openai_type: &'static str,
    /// `error.code` of an OpenAI error body.
    pub openai_code: &'static str,
    /// `error.type` of an Anthropic error body.
    pub anthropic: &'static str,
    /// `error_code` of an MLflow error body.
    pub mlflow: &'static str,
}

const fn row(
    http: u16,
    grpc: i32,
    google: &'static str,
    openai_type: &'static str,
    openai_code: &'static str,
    anthropic: &'static str,
    mlflow: &'static str,
) -> Row {
    Row { http, grpc, google, openai_type, openai_code, anthropic, mlflow }
}

impl Fault {
    /// Every fault, in the order of its HTTP status.
    pub const ALL: [Self; 20] = [
        Self::BadRequest,
        Self::FailedPrecondition,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::OutcomeUnknown,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::Misdirected,
        Self::RateLimited,
        Self::HeadTooLarge,
        Self::Cancelled,
        Self::Internal,
        Self::Unsupported,
        Self::BadGateway,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// The row of the table for this fault.
    #[rustfmt::skip]
    pub const fn row(self) -> Row {
        const REQUEST: &str = "invalid_request_error";
        match self {
            Self::BadRequest         => row(400, 3,  "INVALID_ARGUMENT",    REQUEST,              "invalid_request",        REQUEST,                "INVALID_PARAMETER_VALUE"),
            Self::FailedPrecondition => row(400, 9,  "FAILED_PRECONDITION", REQUEST,              "failed_precondition",    REQUEST,                "INVALID_STATE"),
            Self::Unauthenticated    => row(401, 16, "UNAUTHENTICATED",     REQUEST,              "invalid_api_key",        "authentication_error", "UNAUTHENTICATED"),
            Self::Forbidden          => row(403, 7,  "PERMISSION_DENIED",   REQUEST,              "permission_denied",      "permission_error",     "PERMISSION_DENIED"),
            Self::NotFound           => row(404, 5,  "NOT_FOUND",           REQUEST,              "model_not_found",        "not_found_error",      "RESOURCE_DOES_NOT_EXIST"),
            Self::MethodNotAllowed   => row(405, 12, "UNIMPLEMENTED",       REQUEST,              "method_not_allowed",     REQUEST,                "BAD_REQUEST"),
            Self::RequestTimeout     => row(408, 4,  "DEADLINE_EXCEEDED",   REQUEST,              "request_timeout",        REQUEST,                "BAD_REQUEST"),
            Self::Conflict           => row(409, 6,  "ALREADY_EXISTS",      REQUEST,              "conflict",               REQUEST,                "RESOURCE_ALREADY_EXISTS"),
            Self::OutcomeUnknown     => row(409, 10, "ABORTED",             REQUEST,              "outcome_unknown",        REQUEST,                "ABORTED"),
            Self::TooLarge           => row(413, 3,  "INVALID_ARGUMENT",    REQUEST,              "request_too_large",      "request_too_large",    "INVALID_PARAMETER_VALUE"),
            Self::UnsupportedMedia   => row(415, 3,  "INVALID_ARGUMENT",    REQUEST,              "unsupported_media_type", REQUEST,                "INVALID_PARAMETER_VALUE"),
            Self::Misdirected        => row(421, 3,  "INVALID_ARGUMENT",    REQUEST,              "misdirected_request",    REQUEST,                "PERMISSION_DENIED"),
            Self::RateLimited        => row(429, 8,  "RESOURCE_EXHAUSTED",  "rate_limit_error",   "rate_limit_exceeded",    "rate_limit_error",     "REQUEST_LIMIT_EXCEEDED"),
            Self::HeadTooLarge       => row(431, 3,  "INVALID_ARGUMENT",    REQUEST,              "head_too_large",         REQUEST,                "INVALID_PARAMETER_VALUE"),
            Self::Cancelled          => row(499, 1,  "CANCELLED",           REQUEST,              "cancelled",              REQUEST,                "BAD_REQUEST"),
            Self::Internal           => row(500, 13, "INTERNAL",            "server_error",       "internal_error",         "api_error",            "INTERNAL_ERROR"),
            Self::Unsupported        => row(501, 12, "UNIMPLEMENTED",       REQUEST,              "not_implemented",        REQUEST,                "NOT_IMPLEMENTED"),
            Self::BadGateway         => row(502, 13, "INTERNAL",            "server_error",       "bad_gateway",            "api_error",            "INTERNAL_ERROR"),
            Self::Unavailable        => row(503, 14, "UNAVAILABLE",         "server_error",       "overloaded",             "overloaded_error",     "TEMPORARILY_UNAVAILABLE"),
            Self::Timeout            => row(504, 4,  "DEADLINE_EXCEEDED",   "server_error",       "timeout",                "timeout_error",        "TEMPORARILY_UNAVAILABLE"),
        }
    }

    /// HTTP status code.
    pub const fn http(self) -> u16 {
        self.row().http
    }

    /// The fault that a gRPC code stands for, for a client that was told one by another service of Keyward.
    pub fn from_grpc(code: i32) -> Self {
        match code {
            1 => Self::Cancelled,
            3 | 11 => Self::BadRequest,
            4 => Self::Timeout,
            5 => Self::NotFound,
            6 => Self::Conflict,
            7 => Self::Forbidden,
            8 => Self::RateLimited,
            9 => Self::FailedPrecondition,
            10 => Self::OutcomeUnknown,
            12 => Self::Unsupported,
            14 => Self::Unavailable,
            16 => Self::Unauthenticated,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_complete_and_ordered_by_status() {
        let statuses: Vec<u16> = Fault::ALL.iter().map(|fault| fault.http()).collect();
        assert!(statuses.is_sorted());
        let mut distinct: Vec<_> = Fault::ALL.to_vec();
        distinct.dedup();
        assert_eq!(distinct.len(), Fault::ALL.len());
    }

    #[test]
    fn google_name_belongs_to_the_grpc_code() {
        const NAMES: [&str; 17] = [
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ];
        for fault in Fault::ALL {
            let row = fault.row();
            let index = usize::try_from(row.grpc).unwrap();
            assert_eq!(NAMES[index], row.google, "{fault:?}");
        }
    }

    #[test]
    fn no_caller_mistake_has_a_status_that_mlflow_clients_retry() {
        // MLflow's client repeats 408, 429, 500, 502, 503 and 504 for minutes.
        for fault in
            [Fault::BadRequest, Fault::Conflict, Fault::NotFound, Fault::Unsupported, Fault::OutcomeUnknown]
        {
            assert!(![408, 429, 500, 502, 503, 504].contains(&fault.http()), "{fault:?}");
        }
    }
}
