//! OpenAI's models at Azure: another URL, another credential header, the same bodies.

use dialect::{Operation, Version};
use forward::{ForwardError, Head, Target};
use forward_http::{CheckedBase, CredentialHeader, Family, Route, Wire};
use http::{HeaderName, header::AUTHORIZATION};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{is_proxied, path_of, setting};

/// Azure OpenAI and Azure AI Foundry. The model is the deployment's name.
///
/// Sources: <https://learn.microsoft.com/azure/ai-foundry/openai/reference> (classic) and `…/openai/latest` (v1).
#[derive(Debug, Clone, Copy)]
pub struct Azure(&'static str);

impl Azure {
    /// The provider `azure`.
    pub const OPEN_AI: Self = Self("azure");
    /// The provider `azure_ai`.
    pub const AI: Self = Self("azure_ai");
}

const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// Values of `api_version` that mean the undated surface.
const UNDATED: [&str; 3] = ["v1", "preview", "latest"];

/// A deployment is one segment.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

impl Wire for Azure {
    fn provider(&self) -> &'static str {
        self.0
    }

    /// Every customer has a host of their own.
    fn default_base(&self) -> &'static str {
        ""
    }

    fn default_hosts(&self) -> &'static [&'static str] {
        &[]
    }

    /// The base may be the resource's own URL, or end in `/openai` or `/openai/v1`. The surface is the undated one (`v1`)
    /// where the base or `api_version` says so, or where there is no `api_version`; else the classic one of that date.
    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError> {
        let (root, says_v1) = match base.path().strip_suffix("/openai/v1") {
            Some(root) => (root, true),
            None => (base.path().strip_suffix("/openai").unwrap_or(base.path()), false),
        };
        let dated = setting(target, "api_version").is_some_and(|version| !UNDATED.contains(&version));
        let version = (says_v1 || !dated).then_some(Version::V1);
        let credential = match setting(target, "api_type") {
            Some(kind) if kind.eq_ignore_ascii_case("azuread") => {
                CredentialHeader::from_field(target, "api_key", AUTHORIZATION, "Bearer ")?
            }
            _ => CredentialHeader::from_field(target, "api_key", API_KEY, "")?,
        };
        Ok(Route { prefix: format!("{root}/openai"), version, credential })
    }

    fn path(&self, head: &Head, target: &Target, route: &Route) -> Result<String, ForwardError> {
        let (path, query) = (path_of(head)?, query(head, target, route));
        let query = query.as_deref();
        Ok(match route.version {
            Some(_) if is_proxied(head) => route.join(None, path, query),
            Some(version) => route.join(Some(version.as_str()), path, query),
            None if is_proxied(head) => route.join(None, &format!("/deployments{path}"), query),
            None if is_of_a_deployment(head.operation) => {
                let deployment = utf8_percent_encode(target.model.as_str(), ESCAPED);
                route.join(None, &format!("/deployments/{deployment}{path}"), query)
            }
            None => route.join(None, path, query),
        })
    }

    fn request_families(&self) -> &'static [Family] {
        &[Family::Exact("x-ms-client-request-id")]
    }

    fn answer_families(&self) -> &'static [Family] {
        &[
            Family::Exact("x-ms-client-request-id"),
            Family::Exact("x-ms-region"),
            Family::Exact("azureml-model-session"),
        ]
    }
}

/// The client's query, and `api-version` where the surface takes one and the client named none.
fn query(head: &Head, target: &Target, route: &Route) -> Option<String> {
    let client = head.query.as_deref();
    let named = client.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("api-version=")));
    let version = setting(target, "api_version").filter(|version| {
        let taken = route.version.is_none() || matches!(*version, "preview" | "latest");
        taken && !named
    });
    match (client, version) {
        (client, None) => client.map(str::to_owned),
        (None | Some(""), Some(version)) => Some(format!("api-version={}", escaped(version))),
        (Some(client), Some(version)) => Some(format!("{client}&api-version={}", escaped(version))),
    }
}

fn escaped(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}

/// Whether the classic surface has it below a deployment. Responses, files and batches are the resource's there.
fn is_of_a_deployment(operation: Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::ChatCompletions
            | O::Completions
            | O::Embeddings
            | O::ImagesGenerations
            | O::ImagesEdits
            | O::ImagesVariations
            | O::AudioSpeech
            | O::AudioTranscriptions
            | O::AudioTranslations
    )
}
