//! `api.openai.com`, and what is addressed as it is.

use forward::{ForwardError, Head, Target};
use forward_http::{CheckedBase, CredentialHeader, Route, Wire, split_version};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::{is_proxied, path_of, setting};

/// The OpenAI API.
///
/// Sources: <https://platform.openai.com/docs/api-reference> (paths, headers), and what OpenAI's SDKs were recorded to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenAi;

/// Whose bill and whose project: the secret's settings, never the client's to say.
const BILLED: [(&str, HeaderName); 2] = [
    ("organization", HeaderName::from_static("openai-organization")),
    ("project", HeaderName::from_static("openai-project")),
];

impl Wire for OpenAi {
    fn provider(&self) -> &'static str {
        "openai"
    }

    fn default_base(&self) -> &'static str {
        "https://api.openai.com/v1"
    }

    fn default_hosts(&self) -> &'static [&'static str] {
        &["api.openai.com"]
    }

    /// The base is what stands before the path, version and all; a raw proxied path is laid over it without its version.
    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError> {
        if setting(target, "api_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("openai")) {
            return Err(ForwardError::Misconfigured(
                "its secret has an `api_type` of Azure's: such a secret belongs to the provider `azure`",
            ));
        }
        for (name, _) in BILLED {
            if setting(target, name).is_some_and(|value| HeaderValue::from_str(value).is_err()) {
                return Err(ForwardError::Misconfigured("a setting of its secret fits into no header"));
            }
        }
        let (prefix, version) = split_version(base.path());
        let credential = CredentialHeader::from_field(target, "api_key", AUTHORIZATION, "Bearer ")?;
        Ok(Route { prefix: prefix.to_owned(), version, credential })
    }

    fn path(&self, head: &Head, _target: &Target, route: &Route) -> Result<String, ForwardError> {
        let version = route.version.filter(|_| !is_proxied(head)).map(dialect::Version::as_str);
        Ok(route.join(version, path_of(head)?, head.query.as_deref()))
    }

    fn complete(&self, _head: &Head, target: &Target, headers: &mut HeaderMap) {
        for (name, header) in BILLED {
            if let Some(value) = setting(target, name).and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(header, value);
            }
        }
    }
}
