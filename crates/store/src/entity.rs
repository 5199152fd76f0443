//! What admins administer. Times are milliseconds since the Unix epoch.

use std::collections::BTreeMap;

use names::{
    Actor, EndpointId, EndpointName, Label, MappingId, ModelDefinitionId, ModelName, Provider, SecretId,
};
use secrecy::SecretString;

/// A secret's values by field name, e.g. `api_key`. Only ever on its way in.
pub type SecretValue = BTreeMap<String, SecretString>;

/// A secret's public settings by name, e.g. `api_base`; stored and shown in the clear.
pub type AuthConfig = BTreeMap<String, String>;

/// A provider's key as admins see it: everything but the key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Secret {
    /// Identifier.
    pub id: SecretId,
    /// Unique within the workspace.
    pub name: Label,
    /// Field name to mask.
    pub masked_values: BTreeMap<String, String>,
    /// Version of the value, from 1; counts up with every new value or re-sealing.
    pub version: u64,
    /// The provider it may be used for; filled by its first model definition where it was not given.
    pub provider: Option<Provider>,
    /// Public settings.
    pub auth_config: AuthConfig,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<Actor>,
    /// Who changed it last.
    pub last_updated_by: Option<Actor>,
}

/// Provider, model and secret under a name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ModelDefinition {
    /// Identifier.
    pub id: ModelDefinitionId,
    /// Unique within the workspace.
    pub name: Label,
    /// The secret and its name; none once the secret was deleted.
    pub secret: Option<(SecretId, Label)>,
    /// Whose model it is.
    pub provider: Provider,
    /// The provider's own name of the model.
    pub model_name: ModelName,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<Actor>,
    /// Who changed it last.
    pub last_updated_by: Option<Actor>,
}

/// What part a mapping plays in its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Linkage {
    /// Takes its share of the traffic.
    Primary,
    /// Is tried when what came before it failed.
    Fallback,
}

/// How an endpoint spreads calls over its primaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RoutingStrategy {
    /// An independent weighted choice for every call.
    RequestBasedTrafficSplit,
}

/// How an endpoint falls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct FallbackConfig {
    /// Whether `SEQUENTIAL` was named; there is no other strategy.
    pub sequential: bool,
    /// How many fallbacks to try at most; all of them when absent. At least 1.
    pub max_attempts: Option<u32>,
}

/// One model definition of an endpoint.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Mapping {
    /// Identifier: the target of calls.
    pub id: MappingId,
    /// The endpoint it belongs to.
    pub endpoint_id: EndpointId,
    /// The model definition.
    pub definition: ModelDefinition,
    /// Its share, relative to the other primaries; above 0 and finite.
    pub weight: f64,
    /// Its part.
    pub linkage: Linkage,
    /// Position among the fallbacks; those without one come last, in order of creation.
    pub fallback_order: Option<i32>,
    /// Creation time.
    pub created_at: i64,
    /// Who created it.
    pub created_by: Option<Actor>,
}

/// A key and a value that admins attach to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// Key, 1 to 250 characters.
    pub key: String,
    /// Value, at most 5000 characters, possibly empty.
    pub value: String,
}

/// A name that applications call, and what answers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Endpoint {
    /// Identifier.
    pub id: EndpointId,
    /// Unique within the workspace; what callers use.
    pub name: EndpointName,
    /// Its model definitions: primaries first, in order of creation, then fallbacks in their order.
    pub mappings: Vec<Mapping>,
    /// Tags by key.
    pub tags: Vec<Tag>,
    /// How primaries share traffic; the first primary takes all when absent.
    pub routing_strategy: Option<RoutingStrategy>,
    /// How it falls back; present where it was given or a fallback is attached.
    pub fallback_config: Option<FallbackConfig>,
    /// The experiment that MLflow's client shows for it.
    pub experiment_id: Option<u64>,
    /// Whether usage is tracked.
    pub usage_tracking: bool,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<Actor>,
    /// Who changed it last.
    pub last_updated_by: Option<Actor>,
}

/// A resource of MLflow's that uses an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Binding {
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Kind of the resource: `scorer` (`scorer_job` from 3.8 clients).
    pub resource_type: String,
    /// The resource, as its owner names it.
    pub resource_id: String,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<Actor>,
    /// Who changed it last.
    pub last_updated_by: Option<Actor>,
}

/// An experiment of MLflow's: only what `set_experiment` and usage tracking need.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Experiment {
    /// Number, from 1; a string on MLflow's wire.
    pub id: u64,
    /// Unique within the workspace.
    pub name: Label,
    /// Where artifacts would lie; kept as it was given.
    pub artifact_location: Option<String>,
    /// Tags by key.
    pub tags: Vec<Tag>,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
}
