//! What a provider's room says: everything in which providers differ, and no I/O.

use std::time::Duration;

use dialect::Version;
use forward::{ForwardError, Head, Target};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use crate::{CheckedBase, Family};

/// How one provider's API is spoken. Pure: values in, values out.
pub trait Wire: Send + Sync + 'static {
    /// The provider's name, as targets carry it.
    fn provider(&self) -> &'static str;

    /// Where the API lives when a target says nothing else: an absolute URL. Empty where it has no address of its own, so
    /// that a target must say.
    fn default_base(&self) -> &'static str;

    /// The hosts that a secret without a list of its own may be sent to.
    fn default_hosts(&self) -> &'static [&'static str];

    /// What a target's settings mean, worked out once a target and kept. `base` is the target's `api_base` or the
    /// default, checked.
    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError>;

    /// Path and query of one call, beginning with `/`, as they go on the wire.
    fn path(&self, head: &Head, target: &Target, route: &Route) -> Result<String, ForwardError>;

    /// The target's model as bodies name it, where the call has splices.
    fn model<'a>(&self, target: &'a Target) -> &'a str {
        target.model.as_str()
    }

    /// Sets headers that the provider needs and the client need not know, e.g. a version, or that the target's settings
    /// ask for. The credential is set later.
    fn complete(&self, _head: &Head, _target: &Target, _headers: &mut HeaderMap) {}

    /// When to come again, if a refusal's body says so and its headers do not; `refusal` is the whole body, decoded.
    fn retry_after(&self, _refusal: &[u8]) -> Option<Duration> {
        None
    }

    /// Request headers that pass beyond the common families.
    fn request_families(&self) -> &'static [Family] {
        &[]
    }

    /// Answer headers that pass beyond the common families.
    fn answer_families(&self) -> &'static [Family] {
        &[]
    }
}

/// What a target's settings mean to its provider's room.
#[derive(Debug)]
pub struct Route {
    /// What stands before the provider's own path; empty, or beginning with `/` and not ending so.
    pub prefix: String,
    /// The API version that the target pins.
    pub version: Option<Version>,
    /// The one credential, or that there is none.
    pub credential: CredentialHeader,
}

impl Route {
    /// `{prefix}[/{version}]{path}[?{query}]`: a call's path below the target's base. `path` begins with `/`.
    pub fn join(&self, version: Option<&str>, path: &str, query: Option<&str>) -> String {
        let (slash, version) = version.map_or(("", ""), |version| ("/", version));
        let (mark, query) = query.map_or(("", ""), |query| ("?", query));
        [self.prefix.as_str(), slash, version, path, mark, query].concat()
    }
}

/// Takes a version off the end of a base's path: what stands before it, and the version.
pub fn split_version(path: &str) -> (&str, Option<Version>) {
    match path.rsplit_once('/') {
        Some((prefix, last)) if Version::parse(last).is_some() => (prefix, Version::parse(last)),
        _ => (path, None),
    }
}

/// The one credential header of a request. Its value is never shown.
#[derive(Debug)]
pub struct CredentialHeader(Option<(HeaderName, HeaderValue)>);

impl CredentialHeader {
    /// No credential: for models on a machine of one's own.
    pub fn none() -> Self {
        Self(None)
    }

    /// `name: {prefix}{field}`, from the secret's field of that name; `prefix` is e.g. `Bearer ` with its space.
    pub fn from_field(
        target: &Target,
        field: &str,
        name: HeaderName,
        prefix: &str,
    ) -> Result<Self, ForwardError> {
        let secret = target.credential.fields.get(field).map(|secret| secret.expose_secret().trim());
        let secret = secret.filter(|secret| !secret.is_empty());
        let secret = secret
            .ok_or(ForwardError::Misconfigured("its secret lacks the field that the provider needs"))?;
        let mut value = HeaderValue::try_from([prefix, secret].concat()).map_err(|_| {
            ForwardError::Misconfigured("its secret holds characters that no header can carry")
        })?;
        value.set_sensitive(true);
        Ok(Self(Some((name, value))))
    }

    /// Puts it among a request's headers, as the only one of its name.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.0 {
            headers.insert(name.clone(), value.clone());
        }
    }
}
