//! The Gemini API as Google answers it (`generativelanguage.googleapis.com`).

use bytes::Bytes;

use super::{Asked, Dialect, Natural, Operation, Shape, events, filled, google_array, recorded};
use crate::book::Head;

const JSON: &str = "application/json; charset=UTF-8";

/// Recorded from Google; the one plain text answer among the unary recordings.
const UNARY: &str = "gemini/unary_vertex_logprobs_2.5_flash.json";
/// Recorded from Google: plain text, usage in every chunk, CRLF.
const STREAM: &str = "gemini/stream_usage_cumulative_2.5_flash.sse";

pub(super) fn ask(head: &Head, path: &str, query: &str) -> Result<Asked, Natural> {
    let asked = route(&head.method, path, query).ok_or_else(|| refusal(&NO_SUCH_PATH, Shape::Unary))?;
    match credentials(head, query).as_slice() {
        [] => Err(refusal(&NO_KEY, asked.shape)),
        [key] if key.starts_with("bad") => Err(bad_key()),
        [_] => Ok(asked),
        _ => Err(refusal(&TWO_KEYS, asked.shape)),
    }
}

fn route(method: &str, path: &str, query: &str) -> Option<Asked> {
    let rest = ["/v1/models/", "/v1beta/models/", "/v1alpha/models/"]
        .iter()
        .find_map(|prefix| path.find(prefix).map(|at| &path[at + prefix.len()..]))?;
    let (model, operation) = rest.rsplit_once(':').or_else(|| rest.rsplit_once("%3A"))?;
    let sse = query.split('&').any(|pair| pair == "alt=sse" || pair == "$alt=sse");
    let shape = match operation {
        "generateContent" => Shape::Unary,
        "streamGenerateContent" if sse => Shape::Sse,
        "streamGenerateContent" => Shape::Array,
        _ => return None,
    };
    (method == "POST").then(|| Asked {
        dialect: Dialect::Gemini,
        operation: Operation::Chat,
        shape,
        model: model.to_owned(),
    })
}

/// Every credential that the request carries: Google refuses more than one.
fn credentials<'a>(head: &'a Head, query: &'a str) -> Vec<&'a str> {
    let in_headers = head
        .headers
        .iter()
        .filter(|(name, _)| {
            name.eq_ignore_ascii_case("x-goog-api-key") || name.eq_ignore_ascii_case("authorization")
        })
        .map(|(_, value)| value.as_str());
    let in_query = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("key=").or_else(|| pair.strip_prefix("access_token=")));
    in_headers.chain(in_query).collect()
}

pub(super) fn success(asked: &Asked, status: u16) -> Natural {
    let (content_type, parts) = match asked.shape {
        Shape::Unary => (JSON, vec![Bytes::from_static(recorded(UNARY))]),
        Shape::Sse => ("text/event-stream", events(recorded(STREAM))),
        Shape::Array => (JSON, google_array::frame(&events(recorded(STREAM)))),
    };
    natural(status, content_type, parts)
}

pub(super) fn failure(status: u16, shape: Shape) -> Natural {
    let known = FAILURES.iter().find(|failure| failure.code == status);
    match (status, known) {
        (404, _) => natural(
            404,
            JSON,
            vec![Bytes::from_static(recorded("gemini/firebase_error_unknown_model_404.json"))],
        ),
        (429, _) => {
            natural(429, JSON, vec![Bytes::from_static(recorded("gemini/vercel_error_429_retry_info.json"))])
        }
        (_, Some(failure)) => refusal(failure, shape),
        // Google's front end answers what it refuses itself in HTML.
        (_, None) => {
            let page = format!(
                "<!DOCTYPE html>\n<title>Error {status}</title>\n<p><b>{status}.</b> That’s an error.\n"
            );
            natural(status, "text/html; charset=UTF-8", vec![Bytes::from(page)])
        }
    }
}

/// An error of Google's: HTTP status, its name in google.rpc, what is said, and the reason in `ErrorInfo`.
struct Failure {
    code: u16,
    status: &'static str,
    message: &'static str,
    reason: &'static str,
}

const fn failure_row(
    code: u16,
    status: &'static str,
    message: &'static str,
    reason: &'static str,
) -> Failure {
    Failure { code, status, message, reason }
}

const NO_SUCH_PATH: Failure = failure_row(404, "NOT_FOUND", "Requested entity was not found.", "NOT_FOUND");
const NO_KEY: Failure = failure_row(
    403,
    "PERMISSION_DENIED",
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    "CREDENTIALS_MISSING",
);
const TWO_KEYS: Failure = failure_row(
    400,
    "INVALID_ARGUMENT",
    "Multiple authentication credentials received. Please pass only one.",
    "CREDENTIALS_AMBIGUOUS",
);

/// `spec`: the statuses that Google's API gives, with the names of google.rpc.Code.
static FAILURES: &[Failure] = &[
    failure_row(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", "INVALID_FIELD"),
    failure_row(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials.",
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    ),
    failure_row(
        403,
        "PERMISSION_DENIED",
        "Generative Language API has not been used in this project.",
        "SERVICE_DISABLED",
    ),
    failure_row(409, "ABORTED", "The operation was aborted.", "ABORTED"),
    failure_row(499, "CANCELLED", "The operation was cancelled.", "CANCELLED"),
    failure_row(500, "INTERNAL", "An internal error has occurred. Please retry or report.", "INTERNAL"),
    failure_row(
        501,
        "UNIMPLEMENTED",
        "Operation is not implemented, or supported, or enabled.",
        "UNIMPLEMENTED",
    ),
    failure_row(503, "UNAVAILABLE", "The model is overloaded. Please try again later.", "MODEL_OVERLOADED"),
    failure_row(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", "DEADLINE"),
];

/// An error as Google prints it; in array framing it is the array's only element.
fn refusal(failure: &Failure, shape: Shape) -> Natural {
    let Failure { code, status, message, reason } = failure;
    let body = format!(
        "{{\n  \"error\": {{\n    \"code\": {code},\n    \"message\": \"{message}\",\n    \"status\": \"{status}\",\n    \
         \"details\": [\n      {{\n        \"@type\": \"type.googleapis.com/google.rpc.ErrorInfo\",\n        \"reason\": \
         \"{reason}\",\n        \"domain\": \"googleapis.com\",\n        \"metadata\": {{\n          \"service\": \
         \"generativelanguage.googleapis.com\"\n        }}\n      }}\n    ]\n  }}\n}}\n"
    );
    let body = if shape == Shape::Array { format!("[{}\n]\n", body.trim_end()) } else { body };
    natural(*code, JSON, vec![Bytes::from(body)])
}

fn bad_key() -> Natural {
    natural(400, JSON, vec![Bytes::from_static(recorded("gemini/firebase_error_api_key_invalid_400.json"))])
}

/// The headers that Google's front end puts on every answer, as recorded.
fn natural(status: u16, content_type: &str, parts: Vec<Bytes>) -> Natural {
    let mut natural = Natural::new(status, content_type, parts);
    for (name, value) in [
        ("Vary", "Origin"),
        ("Vary", "X-Origin"),
        ("Vary", "Referer"),
        ("Server", "scaffolding on HTTPServer2"),
        ("X-XSS-Protection", "0"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("X-Content-Type-Options", "nosniff"),
        ("Server-Timing", "gfet4t7; dur=859"),
        ("Alt-Svc", "h3=\":443\"; ma=2592000,h3-29=\":443\"; ma=2592000"),
    ] {
        natural.headers.push((name.to_owned(), value.to_owned()));
    }
    natural
}

pub(super) fn generated(shape: Shape, index: u32, chunks: u32, size: usize) -> Option<Bytes> {
    const EVENT: &str = r#"{"candidates": [{"content": {"parts": [{"text": "~"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 7,"candidatesTokenCount": 9,"totalTokenCount": 16},"modelVersion": "sim"}"#;
    const LAST: &str = r#"{"candidates": [{"content": {"parts": [{"text": "~"}],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 7,"candidatesTokenCount": 9,"totalTokenCount": 16},"modelVersion": "sim"}"#;
    let event = if index + 1 == chunks { LAST } else { EVENT };
    match shape {
        Shape::Unary => (index == 0).then(|| filled(LAST, 0, size.saturating_mul(chunks as usize))),
        Shape::Sse => (index < chunks).then(|| filled(&format!("data: {event}\r\n\r\n"), index, size)),
        Shape::Array if index < chunks => {
            let open = if index == 0 { "[" } else { "\n,\r\n" };
            Some(filled(&format!("{open}{event}"), index, size))
        }
        Shape::Array => {
            (index == chunks).then(|| Bytes::from_static(if chunks == 0 { b"[]\n" } else { b"\n]\n" }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Head { method: "POST".to_owned(), target: target.to_owned(), headers }
    }

    #[test]
    fn exactly_one_credential_is_wanted() {
        let target = "/v1beta/models/m:generateContent";
        let asked = |target: &str, headers| {
            Asked::read(&head(target, headers), b"{}").map_err(|natural| natural.status)
        };
        assert!(asked(target, &[("X-Goog-Api-Key", "k")]).is_ok());
        assert!(asked("/v1beta/models/m:generateContent?key=k", &[]).is_ok());
        assert_eq!(asked(target, &[]), Err(403));
        assert_eq!(asked(target, &[("x-goog-api-key", "k"), ("authorization", "Bearer k")]), Err(400));
        assert_eq!(asked("/v1beta/models/m:generateContent?key=k", &[("x-goog-api-key", "k")]), Err(400));
        assert_eq!(asked(target, &[("x-goog-api-key", "bad")]), Err(400));
        assert_eq!(asked("/v1beta/files", &[("x-goog-api-key", "k")]), Err(404));
    }

    #[test]
    fn alt_decides_the_framing() {
        for (query, shape) in [("?alt=sse", Shape::Sse), ("", Shape::Array), ("?a=b&$alt=sse", Shape::Sse)] {
            let target = format!("/v1/models/a:b:streamGenerateContent{query}");
            let asked = Asked::read(&head(&target, &[("x-goog-api-key", "k")]), b"").unwrap();
            assert_eq!((asked.shape, asked.model.as_str()), (shape, "a:b"));
        }
    }

    #[test]
    fn every_failure_is_googles_json() {
        for failure in FAILURES {
            let natural = refusal(failure, Shape::Unary);
            let body: serde_json::Value = serde_json::from_slice(&natural.parts[0]).unwrap();
            assert_eq!(body["error"]["code"], failure.code);
            assert_eq!(body["error"]["details"][0]["reason"], failure.reason);
            let array: serde_json::Value =
                serde_json::from_slice(&refusal(failure, Shape::Array).parts[0]).unwrap();
            assert_eq!(array[0], body);
        }
    }
}
