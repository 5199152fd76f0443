//! A refusal of the gateway's own, with two faces: what the caller is told, and what the log is told.

use std::borrow::Cow;

use bytes::Bytes;
use dialect::{Dialect, Framing, Refusal, Rendered};
use fault::Fault;
use forward::ForwardError;
use http::{HeaderName, HeaderValue, Response, header};
use names::RequestId;

use crate::accept::scan::Violation;

/// The request's id, on every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("keyward-request-id");
/// On every error: `gateway` or `provider`.
pub(crate) const ERROR_SOURCE: HeaderName = HeaderName::from_static("keyward-error-source");

/// Why there is no answer of a provider.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) fault: Fault,
    /// For the caller: what is wrong and what would be right; no key, host, internal name.
    pub(crate) said: Cow<'static, str>,
    /// For metrics and the log: a word from code.
    pub(crate) reason: &'static str,
    /// For the log only.
    pub(crate) cause: Option<Cow<'static, str>>,
    /// `Allow`, where the method is wrong.
    pub(crate) allow: Option<&'static str>,
    /// The connection cannot be trusted any more, or its body was not read.
    pub(crate) close: bool,
    /// Trying again is useless; some SDKs take the hint.
    pub(crate) final_word: bool,
    /// The endpoint that was asked for, where there is none of that name.
    pub(crate) asked_for: Option<names::EndpointName>,
}

impl Problem {
    pub(crate) fn new(fault: Fault, reason: &'static str, said: impl Into<Cow<'static, str>>) -> Self {
        let said = said.into();
        Self {
            fault,
            said,
            reason,
            cause: None,
            allow: None,
            close: false,
            final_word: false,
            asked_for: None,
        }
    }

    /// What only the log is told.
    pub(crate) fn because(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The connection ends with the answer.
    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Trying again would change nothing.
    pub(crate) fn finally(mut self) -> Self {
        self.final_word = true;
        self
    }

    /// The path is there, the method is not.
    pub(crate) fn method(allow: &'static str) -> Self {
        let mut problem = Self::new(Fault::MethodNotAllowed, "method", format!("this path takes {allow}"));
        problem.allow = Some(allow);
        problem
    }

    /// There is no such endpoint.
    pub(crate) fn no_endpoint(name: &names::EndpointName) -> Self {
        let mut problem = Self::new(Fault::NotFound, "endpoint", format!("there is no endpoint `{name}`"));
        problem.asked_for = Some(name.clone());
        problem
    }

    /// Nothing can be said of endpoints yet.
    pub(crate) fn loading() -> Self {
        Self::new(Fault::Unavailable, "not_ready", "the endpoints are still being loaded; try again")
    }

    /// Nothing is there.
    pub(crate) fn no_such_path() -> Self {
        Self::new(Fault::NotFound, "path", "no such path here")
    }

    /// The whole answer, as `face` reads it.
    pub(crate) fn render(&self, face: Face, id: &RequestId) -> Response<Bytes> {
        let rendered = face.render(self, id);
        let mut response = Response::new(rendered.body);
        *response.status_mut() =
            http::StatusCode::from_u16(rendered.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(rendered.content_type));
        headers.insert(ERROR_SOURCE, HeaderValue::from_static("gateway"));
        if let (Some(name), Ok(id)) = (face.request_id_header(), HeaderValue::from_str(id.as_str())) {
            headers.insert(name, id);
        }
        if self.fault == Fault::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keyward\""));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.final_word {
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        } else if matches!(self.fault, Fault::Unavailable | Fault::RateLimited) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(come_again(id)));
        }
        response
    }
}

/// After how many seconds to come again: 1 to 4, so that those who were refused at once do not come at once. The
/// request's id is random enough for that.
fn come_again(id: &RequestId) -> u16 {
    1 + u16::from(id.as_str().bytes().last().unwrap_or_default() % 4)
}

impl From<ForwardError> for Problem {
    fn from(error: ForwardError) -> Self {
        Self::new(error.fault(), error.kind(), error.to_string())
    }
}

impl From<dialect::PathError> for Problem {
    fn from(error: dialect::PathError) -> Self {
        match error {
            dialect::PathError::Method(allow) => Self::method(allow),
            _ => Self::new(error.fault(), "path", error.to_string()),
        }
    }
}

impl From<Violation> for Problem {
    fn from(violation: Violation) -> Self {
        let problem = match violation {
            Violation::Malformed(what) => Self::new(Fault::BadRequest, "framing", what),
            Violation::HeadTooLarge => Self::new(
                Fault::HeadTooLarge,
                "head_too_large",
                "the request line and the header fields together may have 32 KiB and 100 fields",
            ),
            Violation::HeadTooSlow => Self::new(
                Fault::RequestTimeout,
                "head_too_slow",
                "the request's head did not come to its end within the `connections.head` limit",
            ),
        };
        problem.closing()
    }
}

/// Whose language an answer on a path is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// A dialect of the data plane.
    Dialect(Dialect, Framing),
    /// MLflow's, everywhere else.
    Management,
}

impl Face {
    /// Of the path as it stood on the wire; works for paths that are refused, too.
    pub(crate) fn of(path: &str, query: Option<&str>) -> Self {
        let below = path.strip_prefix("/gateway").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        below
            .and_then(|below| dialect::face(below, query))
            .map_or(Self::Management, |(dialect, framing)| Self::Dialect(dialect, framing))
    }

    /// The word for it in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dialect(dialect, _) => dialect.as_str(),
            Self::Management => "management",
        }
    }

    fn render(self, problem: &Problem, id: &RequestId) -> Rendered {
        match self {
            Self::Dialect(dialect, framing) => {
                let message = problem.said.as_ref();
                let refusal = Refusal { fault: problem.fault, message, request_id: id.as_str() };
                refusal.render(dialect, framing)
            }
            Self::Management => {
                let row = problem.fault.row();
                let body = serde_json::json!({ "error_code": row.mlflow, "message": problem.said });
                Rendered {
                    status: row.http,
                    content_type: "application/json",
                    body: Bytes::from(body.to_string()),
                }
            }
        }
    }

    /// Where the dialect's SDK looks for the request's id.
    fn request_id_header(self) -> Option<HeaderName> {
        match self {
            Self::Dialect(Dialect::OpenAi, _) => Some(HeaderName::from_static("x-request-id")),
            Self::Dialect(Dialect::Anthropic, _) => Some(HeaderName::from_static("request-id")),
            Self::Dialect(Dialect::Gemini, _) | Self::Management => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_decides_the_face() {
        let gemini = |framing| Face::Dialect(Dialect::Gemini, framing);
        for (path, query, face) in [
            ("/gateway/gemini/v1beta/models/a:generateContent", None, gemini(Framing::Unary)),
            ("/gateway/gemini/v1beta/models/a:streamGenerateContent", Some("alt=sse"), gemini(Framing::Sse)),
            ("/gateway/gemini/v1/models/a:streamGenerateContent", None, gemini(Framing::JsonArray)),
            ("/gateway/gemini", None, gemini(Framing::Unary)),
            ("/gateway/geminix", None, Face::Management),
            ("/gateway/a/gemini/v1/models/x:streamGenerateContent", None, gemini(Framing::JsonArray)),
            ("/gateway/a/anthropic/x", None, Face::Dialect(Dialect::Anthropic, Framing::Unary)),
            ("/gateway/a/mlflow/invocations", None, Face::Dialect(Dialect::OpenAi, Framing::Unary)),
            ("/gateway/proxy/a/b", None, Face::Dialect(Dialect::OpenAi, Framing::Unary)),
            ("/gateway/a/other", None, Face::Management),
            ("/gateway/openai/v1/x", None, Face::Dialect(Dialect::OpenAi, Framing::Unary)),
            ("/gateway/anthropic/v1/x", None, Face::Dialect(Dialect::Anthropic, Framing::Unary)),
            ("/api/3.0/mlflow", None, Face::Management),
        ] {
            assert_eq!(Face::of(path, query), face, "{path}");
        }
    }

    #[test]
    fn an_error_says_who_made_it_and_carries_the_id_where_the_sdk_looks() {
        let id = RequestId::from_random(7);
        let problem = Problem::new(Fault::NotFound, "endpoint", "no endpoint `x`").finally();
        let response = problem.render(Face::Dialect(Dialect::Anthropic, Framing::Unary), &id);
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["request-id"], id.as_str());
        assert_eq!(response.headers()[ERROR_SOURCE], "gateway");
        assert_eq!(response.headers()["x-should-retry"], "false");
    }
}
