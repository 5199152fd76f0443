//! The objects of MLflow's management API, field by field in the order in which MLflow prints them.
//!
//! What is unset or empty is left out, as protobuf's JSON does; `created_by` and `last_updated_by` of endpoints are
//! the exception and empty texts where unset. Answers are a superset for both generations of clients: a secret has
//! `auth_config` (3.17) and `auth_config_json` (3.8).

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use store::{
    AuthConfig, Binding, Endpoint, Experiment, FallbackConfig, Linkage, Mapping, ModelDefinition,
    RoutingStrategy, Secret, Tag,
};

/// `GatewaySecretInfo`.
#[derive(Debug, Serialize)]
pub(super) struct SecretShape {
    secret_id: String,
    secret_name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    masked_values: BTreeMap<String, String>,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_by: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    auth_config: AuthConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_config_json: Option<String>,
}

/// `GatewayModelDefinition`.
#[derive(Debug, Serialize)]
pub(super) struct DefinitionShape {
    model_definition_id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_name: Option<String>,
    provider: String,
    model_name: String,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_by: Option<String>,
}

/// `GatewayEndpointModelMapping`.
#[derive(Debug, Serialize)]
pub(super) struct MappingShape {
    mapping_id: String,
    endpoint_id: String,
    model_definition_id: String,
    model_definition: DefinitionShape,
    weight: f64,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    linkage_type: Linkage,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_order: Option<i32>,
}

/// `GatewayEndpoint`.
#[derive(Debug, Serialize)]
pub(super) struct EndpointShape {
    endpoint_id: String,
    name: String,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_mappings: Vec<MappingShape>,
    created_by: String,
    last_updated_by: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_strategy: Option<RoutingStrategy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_config: Option<FallbackShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<String>,
    usage_tracking: bool,
}

/// `FallbackConfig`; an empty object where a fallback is attached and nothing was configured.
#[derive(Debug, Serialize)]
struct FallbackShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u32>,
}

/// A tag of an endpoint or an experiment.
#[derive(Debug, Serialize)]
struct TagShape {
    key: String,
    value: String,
}

/// `GatewayEndpointBinding`.
#[derive(Debug, Serialize)]
pub(super) struct BindingShape {
    endpoint_id: String,
    resource_type: String,
    resource_id: String,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_by: Option<String>,
}

/// `Experiment`, as far as gateways have to do with it.
#[derive(Debug, Serialize)]
pub(super) struct ExperimentShape {
    experiment_id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_location: Option<String>,
    lifecycle_stage: &'static str,
    last_update_time: i64,
    creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagShape>,
    workspace: &'static str,
}

// === impl SecretShape ===

impl From<Secret> for SecretShape {
    fn from(secret: Secret) -> Self {
        Self {
            secret_id: secret.id.into(),
            secret_name: secret.name.into(),
            masked_values: secret.masked_values,
            created_at: secret.created_at,
            last_updated_at: secret.last_updated_at,
            provider: secret.provider.map(Into::into),
            created_by: secret.created_by.map(Into::into),
            last_updated_by: secret.last_updated_by.map(Into::into),
            auth_config_json: auth_config_json(&secret.auth_config),
            auth_config: secret.auth_config,
        }
    }
}

/// The settings as 3.8 shows them: Python's `json.dumps`, so with a space after `:` and `,`.
fn auth_config_json(config: &AuthConfig) -> Option<String> {
    if config.is_empty() {
        return None;
    }
    let mut text = String::from("{");
    for (index, (key, value)) in config.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let (key, value) = (serde_json::Value::from(key.as_str()), serde_json::Value::from(value.as_str()));
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{comma}{key}: {value}");
    }
    text.push('}');
    Some(text)
}

// === impl DefinitionShape ===

impl From<ModelDefinition> for DefinitionShape {
    fn from(definition: ModelDefinition) -> Self {
        let (secret_id, secret_name) = definition.secret.unzip();
        Self {
            model_definition_id: definition.id.into(),
            name: definition.name.into(),
            secret_id: secret_id.map(Into::into),
            secret_name: secret_name.map(Into::into),
            provider: definition.provider.into(),
            model_name: definition.model_name.into(),
            created_at: definition.created_at,
            last_updated_at: definition.last_updated_at,
            created_by: definition.created_by.map(Into::into),
            last_updated_by: definition.last_updated_by.map(Into::into),
        }
    }
}

// === impl MappingShape ===

impl From<Mapping> for MappingShape {
    fn from(mapping: Mapping) -> Self {
        Self {
            mapping_id: mapping.id.into(),
            endpoint_id: mapping.endpoint_id.into(),
            model_definition_id: mapping.definition.id.as_str().to_owned(),
            model_definition: mapping.definition.into(),
            weight: mapping.weight,
            created_at: mapping.created_at,
            created_by: mapping.created_by.map(Into::into),
            linkage_type: mapping.linkage,
            fallback_order: mapping.fallback_order,
        }
    }
}

// === impl EndpointShape ===

impl From<Endpoint> for EndpointShape {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            endpoint_id: endpoint.id.into(),
            name: endpoint.name.into(),
            created_at: endpoint.created_at,
            last_updated_at: endpoint.last_updated_at,
            model_mappings: endpoint.mappings.into_iter().map(Into::into).collect(),
            created_by: endpoint.created_by.map(Into::into).unwrap_or_default(),
            last_updated_by: endpoint.last_updated_by.map(Into::into).unwrap_or_default(),
            tags: endpoint.tags.into_iter().map(Into::into).collect(),
            routing_strategy: endpoint.routing_strategy,
            fallback_config: endpoint.fallback_config.map(Into::into),
            experiment_id: endpoint.experiment_id.map(|id| id.to_string()),
            usage_tracking: endpoint.usage_tracking,
        }
    }
}

impl From<FallbackConfig> for FallbackShape {
    fn from(config: FallbackConfig) -> Self {
        Self { strategy: config.sequential.then_some("SEQUENTIAL"), max_attempts: config.max_attempts }
    }
}

impl From<Tag> for TagShape {
    fn from(tag: Tag) -> Self {
        Self { key: tag.key, value: tag.value }
    }
}

// === impl BindingShape ===

impl From<Binding> for BindingShape {
    fn from(binding: Binding) -> Self {
        Self {
            endpoint_id: binding.endpoint_id.into(),
            resource_type: binding.resource_type,
            resource_id: binding.resource_id,
            created_at: binding.created_at,
            last_updated_at: binding.last_updated_at,
            created_by: binding.created_by.map(Into::into),
            last_updated_by: binding.last_updated_by.map(Into::into),
        }
    }
}

// === impl ExperimentShape ===

impl From<Experiment> for ExperimentShape {
    fn from(experiment: Experiment) -> Self {
        Self {
            experiment_id: experiment.id.to_string(),
            name: experiment.name.into(),
            artifact_location: experiment.artifact_location,
            lifecycle_stage: "active",
            last_update_time: experiment.last_updated_at,
            creation_time: experiment.created_at,
            tags: experiment.tags.into_iter().map(Into::into).collect(),
            workspace: "default",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auth_config_json_is_spelled_as_python_does() {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let config = [("b", "x\"y"), ("a", "1")].map(pair).into();
        assert_eq!(auth_config_json(&config).unwrap(), r#"{"a": "1", "b": "x\"y"}"#);
        assert_eq!(auth_config_json(&AuthConfig::new()), None);
    }
}
