//! What the management API answers when it agrees: MLflow's JSON, and how far a change has come.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use store::{Receipt, Written};

use super::problem::Problem;

/// The revision of a change.
const REVISION: HeaderName = HeaderName::from_static("keyward-revision");
/// The watchers that have not applied it yet.
const NOT_APPLIED: HeaderName = HeaderName::from_static("keyward-not-applied");
/// The most watchers that are named in the header; of more, only the number of the rest is told.
const NAMED_MAX: usize = 16;

/// What every handler returns.
pub(super) type Answered<T> = Result<Answer<T>, Problem>;

/// A 200 with a JSON object, printed as MLflow prints it.
#[derive(Debug)]
pub(super) struct Answer<T> {
    body: T,
    receipt: Option<Receipt>,
}

/// The empty object, which MLflow answers where there is nothing to tell.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

impl<T> Answer<T> {
    /// What was asked for, with no change made.
    pub(super) const fn read(body: T) -> Self {
        Self { body, receipt: None }
    }

    /// The state after a change.
    pub(super) fn written<E>(written: Written<E>, shape: impl FnOnce(E) -> T) -> Self {
        Self { body: shape(written.value), receipt: Some(written.receipt) }
    }
}

impl Answer<Nothing> {
    /// A change that leaves nothing to show.
    pub(super) const fn done(receipt: Receipt) -> Self {
        Self { body: Nothing {}, receipt: Some(receipt) }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Ok(body) = serde_json::to_vec_pretty(&self.body) else {
            return Problem::new(fault::Fault::Internal, "the answer could not be written").into_response();
        };
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut response = (StatusCode::OK, [content_type], body).into_response();
        if let Some(receipt) = self.receipt {
            response.headers_mut().insert(REVISION, HeaderValue::from(receipt.revision));
            if let Some(names) = not_applied(&receipt) {
                response.headers_mut().insert(NOT_APPLIED, names);
            }
        }
        response
    }
}

/// `a, b`, or `a, b, 3 more`; none when everybody has applied the change.
fn not_applied(receipt: &Receipt) -> Option<HeaderValue> {
    let plain = |c: char| if c.is_ascii_graphic() && c != ',' { c } else { '?' };
    let named = receipt.not_applied.iter().take(NAMED_MAX);
    let mut names: Vec<String> = named.map(|watcher| watcher.replica.chars().map(plain).collect()).collect();
    let rest = receipt.not_applied.len().saturating_sub(NAMED_MAX);
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    if names.is_empty() { None } else { HeaderValue::try_from(names.join(", ")).ok() }
}

#[cfg(test)]
mod tests {
    use store::{Role, Watcher};

    use super::*;

    fn lagging(names: &[&str]) -> Receipt {
        let watcher = |name: &&str| Watcher { role: Role::Edge, replica: (*name).to_owned() };
        Receipt { revision: 7, not_applied: names.iter().map(watcher).collect() }
    }

    #[test]
    fn a_change_tells_its_revision_and_who_lags() {
        let response = Answer::done(lagging(&["edge-1", "forwarder\n,2"])).into_response();
        assert_eq!(response.headers()[REVISION], "7");
        assert_eq!(response.headers()[NOT_APPLIED], "edge-1, forwarder??2");
        let response = Answer::done(lagging(&[])).into_response();
        assert!(!response.headers().contains_key(NOT_APPLIED));
    }

    #[test]
    fn the_header_is_bounded() {
        let header = not_applied(&lagging(&["x"; 20])).unwrap();
        assert!(header.to_str().unwrap().ends_with("x, 4 more"));
    }
}
