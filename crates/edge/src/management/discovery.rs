//! What clients ask about the server itself and about providers: constant answers.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};
use names::Provider;
use serde::Serialize;
use store::SecretValue;

use super::{
    answer::{Answer, Answered},
    fields::Fields,
    request::{Anything, Asked, Shape},
};

/// The MLflow whose management API is spoken here: what clients compare with.
pub(crate) const MLFLOW_VERSION: &str = "3.17.2";

/// Names of MLflow 3.17.2's providers, in order.
static PROVIDERS: LazyLock<Vec<&str>> = LazyLock::new(|| parsed(include_str!("data/providers.json")));
/// How providers authenticate that do it in a way of their own.
static AUTH: LazyLock<BTreeMap<&str, AuthShape>> = LazyLock::new(|| parsed(include_str!("data/auth.json")));
/// A few models whose limits their provider publishes (ai.google.dev/gemini-api/docs/models); no prices yet.
static MODELS: LazyLock<BTreeMap<&str, Vec<ModelShape>>> =
    LazyLock::new(|| parsed(include_str!("data/models.json")));

#[expect(clippy::expect_used, reason = "the files are part of the program and a test reads each of them")]
fn parsed<T: serde::Deserialize<'static>>(text: &'static str) -> T {
    serde_json::from_str(text).expect("data files of the management API are well formed")
}

/// The provider that is asked about.
pub(super) struct OfProvider(Option<Provider>);

/// `supported-providers`.
#[derive(Debug, Serialize)]
pub(super) struct ProvidersShape {
    providers: &'static [&'static str],
}

/// `supported-models`.
#[derive(Debug, Serialize)]
pub(super) struct ModelsShape {
    models: Vec<&'static ModelShape>,
}

/// A model. Every key is always there; `null` is what we do not claim to know.
#[derive(Debug, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelShape {
    deprecation_date: Option<String>,
    input_cost_per_token: Option<f64>,
    last_updated_at: Option<String>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    modality: Option<serde_json::Value>,
    mode: Option<String>,
    model: String,
    output_cost_per_token: Option<f64>,
    provider: String,
    supports_function_calling: Option<bool>,
    supports_prompt_caching: Option<bool>,
    supports_reasoning: Option<bool>,
    supports_response_schema: Option<bool>,
    supports_vision: Option<bool>,
}

/// `provider-config`: what an admin is asked for.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthShape {
    auth_modes: Vec<ModeShape>,
    default_mode: String,
}

#[derive(Debug, Clone, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeShape {
    config_fields: Vec<FieldShape>,
    description: String,
    display_name: String,
    mode: String,
    secret_fields: Vec<FieldShape>,
}

#[derive(Debug, Clone, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    description: String,
    name: String,
    required: bool,
    #[serde(rename(serialize = "type"), skip_deserializing, default = "string")]
    kind: String,
}

/// `secrets/config`. There is no default passphrase here.
#[derive(Debug, Serialize)]
pub(super) struct SecretsConfigShape {
    secrets_available: bool,
    using_default_passphrase: bool,
}

/// `server-info`. What is not built is not claimed.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "MLflow's own fields, one by one")]
pub(super) struct ServerInfoShape {
    store_type: &'static str,
    workspaces_enabled: bool,
    trace_archival_enabled: bool,
    multipart_uploads_enabled: bool,
    multipart_downloads_enabled: bool,
    presigned_upload_run_id_supported: bool,
    presigned_upload_model_id_supported: bool,
    features_enabled: FeaturesShape,
}

#[derive(Debug, Serialize)]
struct FeaturesShape {
    gateway: bool,
}

pub(super) async fn supported_providers(_: Asked<Anything>) -> Answered<ProvidersShape> {
    Ok(Answer::read(ProvidersShape { providers: &PROVIDERS }))
}

pub(super) async fn supported_models(
    Asked { request: OfProvider(provider), .. }: Asked<OfProvider>,
) -> Answered<ModelsShape> {
    let asked_for = |name: &str| provider.as_ref().is_none_or(|provider| provider.as_str() == name);
    let models = MODELS.iter().filter(|(name, _)| asked_for(name)).flat_map(|(_, models)| models);
    Ok(Answer::read(ModelsShape { models: models.collect() }))
}

pub(super) async fn provider_config(
    Asked { request: OfProvider(provider), .. }: Asked<OfProvider>,
) -> Answered<AuthShape> {
    let Some(provider) = provider else {
        return Err(super::problem::Problem::bad_request("Provider parameter is required"));
    };
    Ok(Answer::read(AUTH.get(provider.as_str()).cloned().unwrap_or_else(|| api_key(&provider))))
}

pub(super) async fn secrets_config(_: Asked<Anything>) -> Answered<SecretsConfigShape> {
    Ok(Answer::read(SecretsConfigShape { secrets_available: true, using_default_passphrase: false }))
}

/// Answers in any workspace: a client that has one configured asks here whether there are any.
pub(super) async fn server_info() -> Answered<ServerInfoShape> {
    Ok(Answer::read(ServerInfoShape {
        store_type: "SqlStore",
        workspaces_enabled: false,
        trace_archival_enabled: false,
        multipart_uploads_enabled: false,
        multipart_downloads_enabled: false,
        presigned_upload_run_id_supported: false,
        presigned_upload_model_id_supported: false,
        features_enabled: FeaturesShape { gateway: true },
    }))
}

pub(super) async fn health() -> &'static str {
    "OK"
}

pub(super) async fn version() -> impl IntoResponse {
    const OURS: HeaderName = HeaderName::from_static("keyward-version");
    let html = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    ([html, (OURS, env!("CARGO_PKG_VERSION"))], MLFLOW_VERSION)
}

impl Shape for OfProvider {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.optional("provider", Provider::parse)))
    }
}

/// What all providers are asked for that have nothing of their own: a key, and perhaps where to send it.
fn api_key(provider: &Provider) -> AuthShape {
    let name = display_name(provider);
    let field = |name: &str, description: String, required| FieldShape {
        default: None,
        description,
        name: name.to_owned(),
        required,
        kind: string(),
    };
    let mode = ModeShape {
        config_fields: vec![field("api_base", format!("{name} API Base URL"), false)],
        description: format!("Use {name} API Key"),
        display_name: "API Key".to_owned(),
        mode: "api_key".to_owned(),
        secret_fields: vec![field("api_key", format!("{name} API Key"), true)],
    };
    AuthShape { auth_modes: vec![mode], default_mode: "api_key".to_owned() }
}

/// Providers that Keyward itself sends the key of, so that what they need is known and not only assumed.
const OF_ONE_KEY: [&str; 3] = ["anthropic", "gemini", "openai"];

/// The field that a secret of this provider cannot do without and that is not in `given`.
pub(super) fn missing_field(provider: &Provider, given: &SecretValue) -> Option<String> {
    if !OF_ONE_KEY.contains(&provider.as_str()) {
        return None;
    }
    let needed = api_key(provider).auth_modes.into_iter().flat_map(|mode| mode.secret_fields);
    let mut missing = needed.filter(|field| field.required && !given.contains_key(&field.name));
    missing.next().map(|field| field.name)
}

/// `together_ai` as people read it: `Together Ai`; a few in their own spelling.
fn display_name(provider: &Provider) -> String {
    let word = |word: &str| match word {
        "openai" => "OpenAI".to_owned(),
        "ai" => "AI".to_owned(),
        _ => {
            let (head, tail) = word.split_at(word.len().min(1));
            head.to_ascii_uppercase() + tail
        }
    };
    provider.as_str().split(['_', '-']).map(word).collect::<Vec<_>>().join(" ")
}

fn string() -> String {
    "string".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_files_are_well_formed() {
        assert_eq!(PROVIDERS.len(), 97);
        assert!(PROVIDERS.is_sorted());
        for (provider, auth) in AUTH.iter() {
            assert!(PROVIDERS.contains(provider), "{provider}");
            assert_eq!(auth.auth_modes[0].mode, auth.default_mode, "{provider}");
        }
        for (provider, models) in MODELS.iter() {
            assert!(PROVIDERS.contains(provider), "{provider}");
            assert!(models.iter().all(|model| model.provider == *provider));
            assert!(models.is_sorted_by_key(|model| &model.model));
        }
    }

    #[test]
    fn names_are_shown_as_people_read_them() {
        let shown = |name| display_name(&Provider::parse(name).unwrap());
        assert_eq!(shown("gemini"), "Gemini");
        assert_eq!(shown("openai"), "OpenAI");
        assert_eq!(shown("together_ai"), "Together AI");
    }
}
