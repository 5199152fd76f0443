//! A store of the management tests: everything in vectors, MLflow's rules and texts, nothing sealed.
//!
//! It keeps to the contract of [`store::Admin`] as far as the routes show it: names are taken once, what is named
//! must be there, lists are in order of creation. Secrets are kept as field names only, and every mask is `***`.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use names::{Actor, EndpointId, EndpointName, Label, MappingId, ModelDefinitionId, Provider, SecretId};

use store::{
    Binding, Caller, DefinitionChange, Endpoint, EndpointChange, EndpointRef, Experiment, FallbackConfig,
    Linkage, ListDefinitions, Mapping, MappingSpec, ModelDefinition, NewBinding, NewDefinition, NewEndpoint,
    NewExperiment, NewSecret, Receipt, Secret, SecretChange, StoreError, Tag, Watcher, Written,
};

type Result<T> = std::result::Result<T, StoreError>;

/// The store. `lagging` are the watchers that every receipt names; `broken` is what every call fails with.
#[derive(Default)]
pub(super) struct Fake {
    state: Mutex<State>,
    clock: AtomicU64,
    pub(super) lagging: Vec<Watcher>,
    pub(super) broken: Option<StoreError>,
    /// The caller of the last change.
    pub(super) last_caller: Mutex<Option<Caller>>,
}

#[derive(Default)]
struct State {
    secrets: Vec<Secret>,
    definitions: Vec<ModelDefinition>,
    endpoints: Vec<Endpoint>,
    bindings: Vec<Binding>,
    experiments: Vec<Experiment>,
    keys: Vec<store::ClientKey>,
}

impl Fake {
    /// A store whose watchers lag.
    pub(super) fn lagging(watchers: Vec<Watcher>) -> Self {
        Self { lagging: watchers, ..Self::default() }
    }

    /// A store that fails at everything.
    pub(super) fn broken(error: StoreError) -> Self {
        Self { broken: Some(error), ..Self::default() }
    }

    /// The next tick: a time, and a part of identifiers.
    fn tick(&self) -> i64 {
        i64::try_from(self.clock.fetch_add(1, Ordering::Relaxed) + 1).unwrap()
    }

    fn bits(&self) -> u128 {
        u128::try_from(self.tick()).unwrap()
    }

    fn sound(&self) -> Result<()> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    fn receipt(&self, caller: &Caller) -> Receipt {
        *self.last_caller.lock().unwrap() = Some(caller.clone());
        Receipt { revision: u64::try_from(self.tick()).unwrap(), not_applied: self.lagging.clone() }
    }

    fn written<T>(&self, caller: &Caller, value: T) -> Written<T> {
        Written { value, receipt: self.receipt(caller) }
    }
}

fn missing(entity: &str, key: &str, value: impl std::fmt::Display) -> StoreError {
    StoreError::NotFound(format!("{entity} not found ({key}='{value}')"))
}

fn no_secret(id: &SecretId) -> StoreError {
    missing("GatewaySecret", "secret_id", id)
}

fn no_definition(id: &ModelDefinitionId) -> StoreError {
    missing("GatewayModelDefinition", "model_definition_id", id)
}

fn no_endpoint(id: &EndpointId) -> StoreError {
    missing("GatewayEndpoint", "endpoint_id", id)
}

fn mask(value: &store::SecretValue) -> std::collections::BTreeMap<String, String> {
    value.keys().map(|name| (name.clone(), "***".to_owned())).collect()
}

// === impl State ===

impl State {
    fn secret(&self, id: &SecretId) -> Result<&Secret> {
        self.secrets.iter().find(|secret| secret.id == *id).ok_or_else(|| no_secret(id))
    }

    fn definition(&self, id: &ModelDefinitionId) -> Result<&ModelDefinition> {
        self.definitions.iter().find(|definition| definition.id == *id).ok_or_else(|| no_definition(id))
    }

    fn endpoint(&self, id: &EndpointId) -> Result<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == *id).ok_or_else(|| no_endpoint(id))
    }

    fn endpoint_mut(&mut self, id: &EndpointId) -> Result<&mut Endpoint> {
        self.endpoints.iter_mut().find(|endpoint| endpoint.id == *id).ok_or_else(|| no_endpoint(id))
    }

    /// An endpoint as it is now: mappings show definitions as they are, and those show their secrets.
    fn fresh(&self, endpoint: &Endpoint) -> Endpoint {
        let mut endpoint = endpoint.clone();
        for mapping in &mut endpoint.mappings {
            mapping.definition = self.definition(&mapping.definition.id).unwrap().clone();
        }
        endpoint
    }

    fn free_definition_name(&self, name: &Label) -> Result<()> {
        let taken = self.definitions.iter().any(|definition| definition.name == *name);
        let message = || format!("Model definition with name '{name}' already exists");
        if taken { Err(StoreError::AlreadyExists(message())) } else { Ok(()) }
    }

    fn free_endpoint_name(&self, name: &EndpointName) -> Result<()> {
        let taken = self.endpoints.iter().any(|endpoint| endpoint.name == *name);
        let message = || format!("Endpoint with name '{name}' already exists");
        if taken { Err(StoreError::AlreadyExists(message())) } else { Ok(()) }
    }

    /// A definition's provider is its secret's; a secret without one takes the first definition's.
    fn agree(&mut self, secret: &SecretId, provider: &Provider) -> Result<(SecretId, Label)> {
        self.secret(secret)?;
        let secret = self.secrets.iter_mut().find(|candidate| candidate.id == *secret).unwrap();
        let theirs = secret.provider.get_or_insert_with(|| provider.clone());
        if theirs != provider {
            let message = format!("The secret is for provider '{theirs}', not for '{provider}'");
            return Err(StoreError::Invalid(message));
        }
        Ok((secret.id.clone(), secret.name.clone()))
    }

    fn mappings(
        &self,
        fake: &Fake,
        endpoint: &EndpointId,
        specs: Vec<MappingSpec>,
        actor: Option<&Actor>,
    ) -> Result<Vec<Mapping>> {
        let unknown = specs.iter().filter(|spec| self.definition(&spec.definition_id).is_err());
        let unknown: Vec<_> = unknown.map(|spec| spec.definition_id.as_str()).collect();
        if !unknown.is_empty() {
            return Err(StoreError::NotFound(format!("Model definitions not found: {}", unknown.join(", "))));
        }
        if specs.iter().all(|spec| spec.linkage == Linkage::Fallback) {
            return Err(StoreError::Invalid("Endpoint must have at least one PRIMARY model".to_owned()));
        }
        let now = fake.tick();
        let mut mappings: Vec<Mapping> = Vec::new();
        for spec in specs {
            let definition = self.definition(&spec.definition_id)?.clone();
            attachable(&mappings, endpoint, &spec)?;
            mappings.push(Mapping {
                id: MappingId::from_random(fake.bits()),
                endpoint_id: endpoint.clone(),
                definition,
                weight: spec.weight,
                linkage: spec.linkage,
                fallback_order: spec.fallback_order,
                created_at: now,
                created_by: actor.cloned(),
            });
        }
        Ok(mappings)
    }

    fn experiment(&mut self, fake: &Fake, name: &str, endpoint: &EndpointId) -> u64 {
        if let Some(experiment) = self.experiments.iter().find(|experiment| experiment.name.as_str() == name)
        {
            return experiment.id;
        }
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let tags = vec![
            tag("mlflow.experiment.sourceType", "GATEWAY"),
            tag("mlflow.experiment.sourceId", endpoint.as_str()),
            tag("mlflow.experiment.isGateway", "true"),
        ];
        let new = NewExperiment { name: Label::parse(name).unwrap(), artifact_location: None, tags };
        self.add_experiment(fake, new).id
    }

    fn add_experiment(&mut self, fake: &Fake, new: NewExperiment) -> Experiment {
        let now = fake.tick();
        let id = u64::try_from(self.experiments.len()).unwrap() + 1;
        let NewExperiment { name, artifact_location, tags } = new;
        let experiment =
            Experiment { id, name, artifact_location, tags, created_at: now, last_updated_at: now };
        self.experiments.push(experiment.clone());
        experiment
    }

    fn known_experiment(&self, id: Option<u64>) -> Result<()> {
        let known = |id: u64| self.experiments.iter().any(|experiment| experiment.id == id);
        match id {
            Some(id) if !known(id) => Err(no_experiment(id)),
            _ => Ok(()),
        }
    }
}

fn no_experiment(id: u64) -> StoreError {
    StoreError::NotFound(format!("No Experiment with id={id} exists"))
}

fn attachable(mappings: &[Mapping], endpoint: &EndpointId, spec: &MappingSpec) -> Result<()> {
    if !(spec.weight > 0.0 && spec.weight.is_finite()) {
        return Err(StoreError::Invalid("weight must be above 0".to_owned()));
    }
    let same =
        |mapping: &&Mapping| mapping.definition.id == spec.definition_id && mapping.linkage == spec.linkage;
    let message =
        || format!("Model definition '{}' is already attached to endpoint '{endpoint}'", spec.definition_id);
    if mappings.iter().any(|mapping| same(&mapping)) {
        Err(StoreError::AlreadyExists(message()))
    } else {
        Ok(())
    }
}

fn with_fallback(given: Option<FallbackConfig>, mappings: &[Mapping]) -> Option<FallbackConfig> {
    let any = mappings.iter().any(|mapping| mapping.linkage == Linkage::Fallback);
    given.or_else(|| any.then(FallbackConfig::default))
}

mod changes;
mod client_keys;
