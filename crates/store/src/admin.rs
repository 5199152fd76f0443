//! What admins may do.

use names::{
    Actor, EndpointId, EndpointName, Label, ModelDefinitionId, ModelName, Provider, RequestId, SecretId,
};

use crate::{
    AuditLog, AuthConfig, Binding, ClientKeys, Endpoint, Experiment, FallbackConfig, Linkage, Mapping,
    ModelDefinition, RoutingStrategy, Secret, SecretValue, StoreError, Tag, Watcher,
};

/// Who asks, for the audit row that every change writes in its own transaction.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The name shown in the audit log and, until logins exist, what the client said in `created_by`.
    pub actor: Option<Actor>,
    /// The request that asks.
    pub request_id: RequestId,
}

/// A change that was committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Written<T> {
    /// The state after the change.
    pub value: T,
    /// Its revision, and who has not applied it yet.
    pub receipt: Receipt,
}

/// What is known of a change's way to edges and forwarders when the answer is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The revision of the change.
    pub revision: u64,
    /// Live watchers that had not acknowledged it when the bounded wait (`apply_wait_max`) ended; empty: all have.
    pub not_applied: Vec<Watcher>,
}

/// A secret to be made.
#[derive(Debug)]
pub struct NewSecret {
    /// Its name.
    pub name: Label,
    /// At least one field, none of them empty.
    pub value: SecretValue,
    /// The provider it may be used for.
    pub provider: Option<Provider>,
    /// Public settings.
    pub auth_config: AuthConfig,
}

/// A change of a secret.
#[derive(Debug)]
pub struct SecretChange {
    /// Which one.
    pub id: SecretId,
    /// Replaces the whole value; absent or empty: unchanged. Required where `auth_config` changes `api_base`.
    pub value: Option<SecretValue>,
    /// Replaces the whole map; absent or empty: unchanged; a map whose values are all blank clears it.
    pub auth_config: Option<AuthConfig>,
}

/// A model definition to be made.
#[derive(Debug, Clone)]
pub struct NewDefinition {
    /// Its name.
    pub name: Label,
    /// The secret, whose provider must be the same (or none yet).
    pub secret_id: SecretId,
    /// Whose model it is.
    pub provider: Provider,
    /// The provider's own name of the model.
    pub model_name: ModelName,
}

/// A change of a model definition; absent fields stay.
#[derive(Debug, Clone)]
pub struct DefinitionChange {
    /// Which one.
    pub id: ModelDefinitionId,
    /// New name.
    pub name: Option<Label>,
    /// New secret.
    pub secret_id: Option<SecretId>,
    /// New provider.
    pub provider: Option<Provider>,
    /// New model.
    pub model_name: Option<ModelName>,
}

/// Filter of a list of model definitions.
#[derive(Debug, Clone, Default)]
pub struct ListDefinitions {
    /// Only those of this provider.
    pub provider: Option<Provider>,
    /// Only those with this secret.
    pub secret_id: Option<SecretId>,
}

/// One model definition to be attached to an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingSpec {
    /// Which definition.
    pub definition_id: ModelDefinitionId,
    /// Its part.
    pub linkage: Linkage,
    /// Its share: above 0, at most 1 000 000.
    pub weight: f64,
    /// Position among the fallbacks.
    pub fallback_order: Option<i32>,
}

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Its name.
    pub name: EndpointName,
    /// At least one primary.
    pub models: Vec<MappingSpec>,
    /// How primaries share traffic.
    pub routing_strategy: Option<RoutingStrategy>,
    /// How it falls back.
    pub fallback_config: Option<FallbackConfig>,
    /// An experiment that exists.
    pub experiment_id: Option<u64>,
    /// Whether usage is tracked; makes or reuses the experiment `gateway/{name}` where none is given.
    pub usage_tracking: bool,
}

/// A change of an endpoint; absent fields stay.
#[derive(Debug, Clone)]
pub struct EndpointChange {
    /// Which one.
    pub id: EndpointId,
    /// New name: breaks those who call the old one.
    pub name: Option<EndpointName>,
    /// Replaces all mappings; a `fallback_config` that is not given stays.
    pub models: Option<Vec<MappingSpec>>,
    /// How primaries share traffic.
    pub routing_strategy: Option<RoutingStrategy>,
    /// How it falls back.
    pub fallback_config: Option<FallbackConfig>,
    /// An experiment that exists.
    pub experiment_id: Option<u64>,
    /// Whether usage is tracked.
    pub usage_tracking: Option<bool>,
}

/// An endpoint by id or by name.
#[derive(Debug, Clone)]
pub enum EndpointRef {
    /// By id.
    Id(EndpointId),
    /// By name.
    Name(EndpointName),
}

/// A binding by its three keys.
#[derive(Debug, Clone)]
pub struct NewBinding {
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Kind of the resource.
    pub resource_type: String,
    /// The resource.
    pub resource_id: String,
}

/// An experiment to be made.
#[derive(Debug, Clone)]
pub struct NewExperiment {
    /// Its name.
    pub name: Label,
    /// Where artifacts would lie.
    pub artifact_location: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// What admins may do. Every change is one transaction with its revision, its change-log rows and its audit row.
///
/// Lists are complete and ordered by creation time, then id. `Ok` on a change means: committed.
#[async_trait::async_trait]
pub trait Admin: ClientKeys + AuditLog {
    /// Seals the value and stores it. Waits for the watchers, bounded, as every creation does.
    async fn create_secret(&self, caller: &Caller, new: NewSecret) -> Result<Written<Secret>, StoreError>;
    /// One secret, masked.
    async fn secret(&self, id: &SecretId) -> Result<Secret, StoreError>;
    /// All secrets, of one provider where one is given.
    async fn secrets(&self, provider: Option<&Provider>) -> Result<Vec<Secret>, StoreError>;
    /// New value or new settings.
    async fn update_secret(
        &self,
        caller: &Caller,
        change: SecretChange,
    ) -> Result<Written<Secret>, StoreError>;
    /// Deletes it; definitions that use it keep existing without a secret, as in MLflow.
    async fn delete_secret(&self, caller: &Caller, id: &SecretId) -> Result<Receipt, StoreError>;

    /// Makes a model definition.
    async fn create_definition(
        &self,
        caller: &Caller,
        new: NewDefinition,
    ) -> Result<Written<ModelDefinition>, StoreError>;
    /// One model definition.
    async fn definition(&self, id: &ModelDefinitionId) -> Result<ModelDefinition, StoreError>;
    /// All that match.
    async fn definitions(&self, filter: &ListDefinitions) -> Result<Vec<ModelDefinition>, StoreError>;
    /// Changes one.
    async fn update_definition(
        &self,
        caller: &Caller,
        change: DefinitionChange,
    ) -> Result<Written<ModelDefinition>, StoreError>;
    /// Deletes one; refused (`FailedPrecondition`) while an endpoint uses it.
    async fn delete_definition(&self, caller: &Caller, id: &ModelDefinitionId)
    -> Result<Receipt, StoreError>;

    /// Makes an endpoint; returns once every live watcher applied it, or the bounded wait is over.
    async fn create_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<Written<Endpoint>, StoreError>;
    /// One endpoint.
    async fn endpoint(&self, which: &EndpointRef) -> Result<Endpoint, StoreError>;
    /// All endpoints, those with a target of one provider where one is given; also those without any mapping.
    async fn endpoints(&self, provider: Option<&Provider>) -> Result<Vec<Endpoint>, StoreError>;
    /// Changes one.
    async fn update_endpoint(
        &self,
        caller: &Caller,
        change: EndpointChange,
    ) -> Result<Written<Endpoint>, StoreError>;
    /// Deletes one with its mappings, bindings and tags.
    async fn delete_endpoint(&self, caller: &Caller, id: &EndpointId) -> Result<Receipt, StoreError>;
    /// Attaches a model definition; a fallback becomes effective at once.
    async fn attach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        spec: MappingSpec,
    ) -> Result<Written<Mapping>, StoreError>;
    /// Removes every mapping of that definition.
    async fn detach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        definition: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError>;

    /// Makes a binding.
    async fn create_binding(&self, caller: &Caller, new: NewBinding) -> Result<Written<Binding>, StoreError>;
    /// Deletes a binding.
    async fn delete_binding(&self, caller: &Caller, which: NewBinding) -> Result<Receipt, StoreError>;
    /// Bindings that match every filter given.
    async fn bindings(
        &self,
        endpoint: Option<&EndpointId>,
        resource_type: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<Vec<Binding>, StoreError>;
    /// Sets a tag.
    async fn set_tag(&self, caller: &Caller, endpoint: &EndpointId, tag: Tag) -> Result<Receipt, StoreError>;
    /// Deletes a tag; a key that is not there is no error.
    async fn delete_tag(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        key: &str,
    ) -> Result<Receipt, StoreError>;

    /// Makes an experiment.
    async fn create_experiment(
        &self,
        caller: &Caller,
        new: NewExperiment,
    ) -> Result<Written<Experiment>, StoreError>;
    /// One experiment by number.
    async fn experiment(&self, id: u64) -> Result<Experiment, StoreError>;
    /// One experiment by name.
    async fn experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError>;
    /// All experiments.
    async fn experiments(&self) -> Result<Vec<Experiment>, StoreError>;
}
