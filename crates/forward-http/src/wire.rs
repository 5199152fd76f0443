//! What a provider's room says: everything in which providers differ, and no I/O.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use dialect::{Framing, Version};
use forward::{ForwardError, Head, Target};
use http::{HeaderMap, StatusCode};

use crate::{CheckedBase, CredentialHeader, Family, Reframe};

/// How one provider's API is spoken. Pure: values in, values out.
pub trait Wire: Send + Sync + 'static {
    /// The provider's name, as targets carry it.
    fn provider(&self) -> &'static str;

    /// Where the API lives when a target says nothing else: an absolute URL. Empty where it has no address of its own, so
    /// that a target must say.
    fn default_base(&self) -> &'static str;

    /// The hosts that a secret without a list of its own may be sent to.
    fn default_hosts(&self) -> &'static [&'static str];

    /// The default base of one target, where it depends on the target's settings. Empty as [`Wire::default_base`] is.
    fn base<'a>(&'a self, _target: &'a Target) -> Result<Cow<'a, str>, ForwardError> {
        Ok(Cow::Borrowed(self.default_base()))
    }

    /// Whether a secret without a list of its own may be sent to this host, in lower case and without port.
    fn is_own_host(&self, host: &str) -> bool {
        self.default_hosts().contains(&host)
    }

    /// The hosts of the provider's identity services: what a [`Grant`](crate::Grant) may be asked of, whatever list the
    /// secret has.
    fn token_hosts(&self) -> &'static [&'static str] {
        &[]
    }

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

    /// Whether this call's body goes out in another form. Then it is held until it is whole.
    fn rewrites(&self, _head: &Head, _target: &Target) -> bool {
        false
    }

    /// The body in the form that the provider wants, in pieces; what stays the same is shared, not copied. Called where
    /// [`Wire::rewrites`] says so, with the model in its places.
    fn rewrite(&self, _head: &Head, _target: &Target, body: Bytes) -> Result<Vec<Bytes>, ForwardError> {
        Ok(vec![body])
    }

    /// How an answer's stream is put into the dialect's own framing, where it comes in another; sets the headers that say
    /// so. An error where what came cannot be what was asked for.
    fn reframe(
        &self,
        _framing: Framing,
        _status: StatusCode,
        _headers: &mut HeaderMap,
    ) -> Result<Option<Box<dyn Reframe>>, ForwardError> {
        Ok(None)
    }

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
