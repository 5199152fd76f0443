//! How Vertex AI differs.
#![doc = include_str!("../README.md")]

mod claude;
mod credential;
mod place;

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use dialect::{Dialect, Operation, Version};
use forward::{ForwardError, Head, Target};
use forward_http::{CheckedBase, Family, Route, Wire};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use place::Place;

/// Google's models, Anthropic's, and open ones, in a project at Google Cloud.
///
/// Sources: <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest> (paths, hosts),
/// <https://docs.claude.com/en/api/claude-on-vertex-ai> (bodies), and what Google's and Anthropic's SDKs were recorded to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vertex;

/// Everything in a model's name but what Google's paths take as it is; `/` stands between segments of resource names.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b':')
    .remove(b'@')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

const NOT_SPOKEN: ForwardError = ForwardError::Misconfigured("its provider does not have this call");

impl Wire for Vertex {
    fn provider(&self) -> &'static str {
        "vertex_ai"
    }

    fn default_base(&self) -> &'static str {
        "https://aiplatform.googleapis.com"
    }

    fn default_hosts(&self) -> &'static [&'static str] {
        &["aiplatform.googleapis.com"]
    }

    fn base<'a>(&'a self, target: &'a Target) -> Result<Cow<'a, str>, ForwardError> {
        Ok(format!("https://{}", place::host(target)?).into())
    }

    fn is_own_host(&self, host: &str) -> bool {
        place::is_host(host)
    }

    fn token_hosts(&self) -> &'static [&'static str] {
        &["oauth2.googleapis.com"]
    }

    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError> {
        let (prefix, version) = split_version(base.path());
        Ok(Route { prefix: prefix.to_owned(), version, credential: credential::of(target)? })
    }

    fn path(&self, head: &Head, target: &Target, route: &Route) -> Result<String, ForwardError> {
        let query = head.query.as_deref();
        if head.operation == Operation::Proxy {
            return Ok(route.join(None, head.path.as_deref().ok_or(ForwardError::Internal)?, query));
        }
        match head.operation.dialect() {
            Some(Dialect::Gemini) => {
                let version = spelt(route.version.unwrap_or(head.version));
                Ok(route.join(Some(version), &of_google(head, target)?, query))
            }
            Some(Dialect::Anthropic) => {
                let version = spelt(route.version.unwrap_or(Version::V1));
                // The client's query (`beta=true`) is for Anthropic's own API.
                Ok(route.join(Some(version), &claude::path(head, target)?, None))
            }
            Some(Dialect::OpenAi) => {
                let version = spelt(route.version.unwrap_or(Version::V1));
                let path = head.path.as_deref().ok_or(ForwardError::Internal)?;
                let path = format!("{}/endpoints/openapi{path}", Place::of(target)?);
                Ok(route.join(Some(version), &path, query))
            }
            None => Err(ForwardError::Internal),
        }
    }

    fn complete(&self, head: &Head, target: &Target, headers: &mut HeaderMap) {
        if head.operation.dialect() == Some(Dialect::Anthropic) {
            claude::complete(target, headers);
        }
    }

    fn rewrites(&self, head: &Head, _target: &Target) -> bool {
        matches!(head.operation, Operation::Messages | Operation::MessagesCountTokens)
    }

    fn rewrite(&self, head: &Head, _target: &Target, body: Bytes) -> Result<Vec<Bytes>, ForwardError> {
        claude::rewrite(head, &body)
    }

    fn retry_after(&self, refusal: &[u8]) -> Option<Duration> {
        dialect::gemini::retry_after(refusal)
    }

    fn request_families(&self) -> &'static [Family] {
        &[Family::Prefix("x-vertex-ai-")]
    }

    fn answer_families(&self) -> &'static [Family] {
        &[Family::Prefix("x-vertex-ai-")]
    }
}

/// Takes a version off the end of a base's path.
fn split_version(path: &str) -> (&str, Option<Version>) {
    match path.rsplit_once('/') {
        Some((prefix, "v1")) => (prefix, Some(Version::V1)),
        Some((prefix, "v1beta1")) => (prefix, Some(Version::V1Beta)),
        _ => (path, None),
    }
}

/// Vertex AI has two versions, and spells the second in its own way.
fn spelt(version: Version) -> &'static str {
    match version {
        Version::V1 => "v1",
        Version::V1Beta | Version::V1Alpha => "v1beta1",
    }
}

/// A call in Gemini's dialect, behind the version.
fn of_google(head: &Head, target: &Target) -> Result<String, ForwardError> {
    let place = if credential::is_express(target) { None } else { Some(Place::of(target)?) };
    let place = place.map(|place| place.to_string()).unwrap_or_default();
    if let Some(path) = &head.path {
        return if place.is_empty() { Err(NOT_SPOKEN) } else { Ok(place + path) };
    }
    let model = target.model.as_str();
    let model = model.strip_prefix("models/").or(model.strip_prefix("google/")).unwrap_or(model);
    let collection = match model.split_once('/') {
        Some(("projects", _)) => "/".to_owned(),
        Some(("publishers" | "endpoints", _)) => place + "/",
        _ => place + "/publishers/google/models/",
    };
    let model = utf8_percent_encode(model, ESCAPED);
    Ok(format!("{collection}{model}:{}", head.operation.as_str()))
}

#[cfg(test)]
mod tests;
