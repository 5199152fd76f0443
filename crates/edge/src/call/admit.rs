//! Who calls, and whether they may. The client's credentials end here: nothing behind this room sees them.
//!
//! The [policy](crate::Policy) decides. Whatever is wrong with a credential, the answer is the same; the log alone is told
//! the reason. That a key does not reach an endpoint is another matter, and says which.

use access::{Kind, Place, Presented, Reason};
use dialect::gemini::Query;
use fault::Fault;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use secrecy::{ExposeSecret as _, SecretString};
use store::PublishedEndpoint;

use crate::{
    Edge, Policy, Problem,
    policy::{Accepted, Keys},
};

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

/// The one answer to every credential that is not accepted, and to none.
const NOT_ACCEPTED: &str =
    "a client key of this gateway is needed, in the place of the provider's key, and none was accepted";

/// Somebody who may ask on.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Who calls.
    pub(super) caller: Caller,
    /// The query, less credentials.
    pub(super) query: Option<String>,
    /// Whether the query asks for an answer in which the end mark cannot be counted on.
    pub(super) masked: bool,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Anybody: the policy is open.
    Anybody,
    /// The holder of a client key.
    Key(Accepted),
}

/// What a client presents to be known by. Never shown: header values are marked sensitive, query values are secrets.
#[derive(Debug)]
struct Taken {
    /// By field, in the order of [`CREDENTIALS`].
    fields: Vec<(HeaderName, HeaderValue)>,
    /// From the query.
    query: Vec<SecretString>,
}

/// Takes the credentials out of `parts` and asks the policy.
pub(crate) fn admit(edge: &Edge, parts: &mut Parts) -> Result<Admission, Problem> {
    let query = Query::read(parts.uri.query());
    let taken = Taken { fields: take_fields(&mut parts.headers), query: query.credentials };
    let caller = match &edge.policy {
        Policy::Open => Caller::Anybody,
        Policy::Keys(keys) => Caller::Key(known(keys, &taken)?),
    };
    Ok(Admission { caller, query: query.forwarded, masked: query.masked })
}

impl Admission {
    /// Whether this caller sees that endpoint.
    pub(crate) fn permits(&self, endpoint: &PublishedEndpoint) -> bool {
        match &self.caller {
            Caller::Anybody => true,
            Caller::Key(accepted) => accepted.key().is_some_and(|key| {
                let tags = endpoint.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
                key.scope.permits(&endpoint.name, tags)
            }),
        }
    }

    /// Lets a call to that endpoint go on.
    pub(crate) fn may_call(&self, endpoint: &PublishedEndpoint) -> Result<(), Problem> {
        if self.permits(endpoint) {
            return Ok(());
        }
        let said = format!("this client key may not call endpoint `{}`", endpoint.name);
        Err(Problem::new(Fault::Forbidden, "scope", said).finally())
    }
}

impl Caller {
    /// Who it is, for the log: the key's owner.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Anybody => "anybody",
            Self::Key(accepted) => accepted.key().map_or("", |key| key.owner.as_str()),
        }
    }

    /// With which key, for the log: its public part.
    pub(super) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Anybody => None,
            Self::Key(accepted) => accepted.key().map(|key| key.record.key_id.as_str()),
        }
    }
}

fn known(keys: &Keys, taken: &Taken) -> Result<Accepted, Problem> {
    if !keys.are_loaded() {
        return Err(Problem::new(
            Fault::Unavailable,
            "not_ready",
            "the client keys are still being loaded; try again",
        ));
    }
    let headers = taken.fields.iter().filter_map(|(name, value)| {
        let place = Place::ALL.into_iter().find(|place| place.header() == Some(name.as_str()))?;
        Some((place, value.as_bytes()))
    });
    let query = taken.query.iter().map(|value| (Place::Query, value.expose_secret().as_bytes()));
    let presented = Presented::on_data_plane(headers.chain(query));
    let presented = presented.map_err(|error| refused("credential").because(error.as_str()))?;
    let presented = presented.ok_or_else(|| refused("no_credential"))?;
    match keys.check(presented.as_bytes()) {
        Some(Ok(accepted)) => Ok(accepted),
        Some(Err(error)) => {
            let key = error.key_id().map_or_else(|| "no key".to_owned(), |id| Kind::Client.masked(id));
            if error.reason() == Reason::NoPepper {
                tracing::error!(key, "a client key cannot be checked: its pepper was not pushed here");
            }
            Err(refused("credential").because(format!("{key}: {}", error.reason().as_str())))
        }
        None => {
            tracing::error!("client keys cannot be checked: no pepper was pushed here");
            Err(refused("credential").because("no pepper"))
        }
    }
}

fn refused(reason: &'static str) -> Problem {
    Problem::new(Fault::Unauthenticated, reason, NOT_ACCEPTED).finally()
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
        let taken = Taken { fields: taken, query: vec![SecretString::from("canary")] };
        assert!(!format!("{taken:?}").contains("canary"));
    }
}
