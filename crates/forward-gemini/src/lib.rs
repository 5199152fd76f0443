//! How Gemini differs.
#![doc = include_str!("../README.md")]

use std::time::Duration;

use dialect::{Operation, Version};
use forward::{ForwardError, Head, Target};
use forward_http::{CheckedBase, CredentialHeader, Route, Wire, split_version};
use http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The Gemini Developer API.
///
/// Sources: <https://ai.google.dev/api> (paths, `x-goog-api-key`), and what Google's SDKs were recorded to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gemini;

const HOST: &str = "generativelanguage.googleapis.com";
const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Everything in a model's name but what Google's paths take as it is; `/` stands between segments of resource names.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b':')
    .remove(b'@')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl Wire for Gemini {
    fn provider(&self) -> &'static str {
        "gemini"
    }

    fn default_base(&self) -> &'static str {
        "https://generativelanguage.googleapis.com"
    }

    fn default_hosts(&self) -> &'static [&'static str] {
        &[HOST]
    }

    /// The base may be an origin, `…/v1beta` or `…/v1beta/models`, behind any prefix; a version in it is the pin.
    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError> {
        let (prefix, version) = split_base(base.path());
        let credential = CredentialHeader::from_field(target, "api_key", KEY_HEADER, "")?;
        Ok(Route { prefix: prefix.to_owned(), version, credential })
    }

    fn path(&self, head: &Head, target: &Target, route: &Route) -> Result<String, ForwardError> {
        let query = head.query.as_deref();
        let version = route.version.unwrap_or(head.version).as_str();
        match (&head.path, head.operation) {
            (Some(path), Operation::Proxy) => Ok(route.join(None, path, query)),
            (Some(path), _) => Ok(route.join(Some(version), path, query)),
            (None, operation) => {
                let model = target.model.as_str();
                let collection = if is_resource(model) { "" } else { RESOURCE };
                let model = utf8_percent_encode(model, ESCAPED);
                let path = format!("/{collection}{model}:{}", operation.as_str());
                Ok(route.join(Some(version), &path, query))
            }
        }
    }

    fn retry_after(&self, refusal: &[u8]) -> Option<Duration> {
        dialect::gemini::retry_after(refusal)
    }

    /// Bodies name models as resources; what the client wrote of that stays.
    fn model<'a>(&self, target: &'a Target) -> &'a str {
        let model = target.model.as_str();
        model.strip_prefix(RESOURCE).unwrap_or(model)
    }
}

const RESOURCE: &str = "models/";

/// Whether a model's name says itself which collection it is in.
fn is_resource(model: &str) -> bool {
    model.starts_with(RESOURCE) || model.starts_with("tunedModels/")
}

/// Takes `/models` and then a version off the end of a base's path.
fn split_base(path: &str) -> (&str, Option<Version>) {
    match split_version(path.strip_suffix("/models").unwrap_or(path)) {
        // `…/models` without a version before it is a prefix like any other.
        (_, None) => (path, None),
        versioned => versioned,
    }
}

#[cfg(test)]
mod tests;
