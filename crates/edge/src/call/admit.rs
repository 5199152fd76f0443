//! Who calls, and whether they may. The client's credentials end here: nothing behind this room sees them.
//!
//! Until access control exists the policy is `open`: every caller is admitted. The credentials are taken out and kept
//! together with where they stood, so that the policy which comes has all it needs.

use dialect::gemini::Query;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use secrecy::SecretString;
use store::PublishedEndpoint;

use crate::Problem;

/// Fields in which clients of any dialect present themselves, or that belong between a client and the gateway alone.
const CREDENTIALS: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-iam-authorization-token"),
    HeaderName::from_static("x-goog-iam-authority-selector"),
    HeaderName::from_static("x-forwarded-access-token"),
];

/// A call that may go on.
#[derive(Debug)]
pub(super) struct Admission {
    /// Who calls.
    pub(super) caller: Caller,
    /// The query, less credentials.
    pub(super) query: Option<String>,
    /// Whether the query asks for an answer in which the end mark cannot be counted on.
    pub(super) masked: bool,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Anybody: there is no access control yet.
    Anybody,
}

impl Caller {
    /// The word for it in the log.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
        }
    }
}

/// What a client presents to be known by. Never shown: header values are marked sensitive, query values are secrets.
#[derive(Debug)]
pub(super) struct Presented {
    /// By field, in the order of [`CREDENTIALS`].
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    /// From the query.
    pub(super) query: Vec<SecretString>,
}

/// Takes the credentials out of `parts` and asks the policy.
pub(super) fn admit(parts: &mut Parts, endpoint: &PublishedEndpoint) -> Result<Admission, Problem> {
    let query = Query::read(parts.uri.query());
    let presented = Presented { fields: take_fields(&mut parts.headers), query: query.credentials };
    let caller = may_call(&presented, endpoint)?;
    Ok(Admission { caller, query: query.forwarded, masked: query.masked })
}

/// The policy `open`.
#[expect(clippy::unnecessary_wraps, reason = "the policies that come refuse")]
fn may_call(presented: &Presented, _endpoint: &PublishedEndpoint) -> Result<Caller, Problem> {
    tracing::trace!(fields = presented.fields.len(), query = presented.query.len(), "credentials taken out");
    Ok(Caller::Anybody)
}

fn take_fields(headers: &mut HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let mut taken = Vec::new();
    for name in CREDENTIALS {
        if let header::Entry::Occupied(entry) = headers.entry(&name) {
            let (_, values) = entry.remove_entry_mult();
            taken.extend(values.map(|mut value| {
                value.set_sensitive(true);
                (name.clone(), value)
            }));
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_go_on_and_are_not_shown() {
        let mut headers = HeaderMap::new();
        for name in CREDENTIALS {
            headers.append(&name, HeaderValue::from_static("canary"));
            headers.append(&name, HeaderValue::from_static("canary"));
        }
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let taken = take_fields(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(taken.len(), 2 * CREDENTIALS.len());
        let presented = Presented { fields: taken, query: vec![SecretString::from("canary")] };
        assert!(!format!("{presented:?}").contains("canary"));
    }
}
