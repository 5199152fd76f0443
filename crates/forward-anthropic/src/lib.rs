//! How Anthropic differs.
#![doc = include_str!("../README.md")]

use dialect::{Dialect, Operation, Version};
use forward::{ForwardError, Head, Target};
use forward_http::{CheckedBase, CredentialHeader, Family, Route, Wire, split_version};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The Anthropic API.
///
/// Sources: <https://docs.claude.com/en/api/overview> (paths, headers), `/en/api/versioning`, `/en/api/rate-limits`, and
/// what Anthropic's SDKs were recorded to send and read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anthropic;

const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");
const VERSION_HEADER: HeaderName = HeaderName::from_static("anthropic-version");

/// For a client that names no version: the one that all clients were written against until there was a second.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The base's version where it names none: Anthropic has no other in its paths.
const PATH_VERSION: Version = Version::V1;

impl Wire for Anthropic {
    fn provider(&self) -> &'static str {
        "anthropic"
    }

    fn default_base(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn default_hosts(&self) -> &'static [&'static str] {
        &["api.anthropic.com"]
    }

    /// The base may be an origin or end in `/v1`, behind any prefix.
    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError> {
        if target.settings.get("version").is_some_and(|version| HeaderValue::from_str(version).is_err()) {
            return Err(ForwardError::Misconfigured("the `version` of its secret fits into no header"));
        }
        let (prefix, version) = split_version(base.path());
        let credential = CredentialHeader::from_field(target, "api_key", KEY_HEADER, "")?;
        Ok(Route { prefix: prefix.to_owned(), version: version.or(Some(PATH_VERSION)), credential })
    }

    fn path(&self, head: &Head, _target: &Target, route: &Route) -> Result<String, ForwardError> {
        let path = head.path.as_deref().ok_or(ForwardError::Internal)?;
        let query = head.query.as_deref();
        match (head.operation, head.operation.dialect()) {
            (Operation::Proxy, _) => Ok(route.join(None, path, query)),
            (_, Some(Dialect::Anthropic)) => Ok(route.join(route.version.map(Version::as_str), path, query)),
            _ => Err(ForwardError::Misconfigured("its provider does not speak this dialect")),
        }
    }

    /// Every call needs a version. The client's own says what it can read; only where it has none another is set.
    fn complete(&self, _head: &Head, target: &Target, headers: &mut HeaderMap) {
        if !headers.contains_key(VERSION_HEADER) {
            let written = target.settings.get("version").map(|version| version.trim());
            let written = written.filter(|version| !version.is_empty());
            let written = written.and_then(|version| HeaderValue::from_str(version).ok());
            headers.insert(VERSION_HEADER, written.unwrap_or(VERSION));
        }
    }

    /// Limits and what is left of them, whose names do not all say so (`anthropic-priority-input-tokens-remaining`), and the
    /// workspace, which the SDKs hand on. The organization behind the secret stays here.
    fn answer_families(&self) -> &'static [Family] {
        &[
            Family::Prefix("anthropic-priority-"),
            Family::Prefix("anthropic-fast-"),
            Family::Exact("anthropic-workspace-id"),
        ]
    }
}

#[cfg(test)]
mod tests {
    //! Golden cases: a target and a call in, a request out; and what passes of answers.

    use std::path::Path;

    use forward_http::suite;

    use super::*;

    #[test]
    fn golden_cases() {
        let cases = suite::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
        let report: String = cases.iter().map(|case| case.differences(&Anthropic)).collect();
        assert!(report.is_empty(), "{report}");
        assert!(cases.len() >= 12, "{} cases were found", cases.len());
    }
}
