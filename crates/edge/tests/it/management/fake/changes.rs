//! The fake store's calls, in the order of the trait.

use store::Admin;

use super::*;

#[async_trait::async_trait]
impl Admin for Fake {
    async fn create_secret(&self, caller: &Caller, new: NewSecret) -> Result<Written<Secret>> {
        self.sound()?;
        let mut state = self.state.lock().unwrap();
        if state.secrets.iter().any(|secret| secret.name == new.name) {
            return Err(StoreError::AlreadyExists(format!("Secret with name '{}' already exists", new.name)));
        }
        let now = self.tick();
        let secret = Secret {
            id: SecretId::from_random(self.bits()),
            name: new.name,
            masked_values: mask(&new.value),
            version: 1,
            provider: new.provider,
            auth_config: new.auth_config,
            created_at: now,
            last_updated_at: now,
            created_by: caller.actor.clone(),
            last_updated_by: caller.actor.clone(),
        };
        state.secrets.push(secret.clone());
        Ok(self.written(caller, secret))
    }

    async fn secret(&self, id: &SecretId) -> Result<Secret> {
        self.sound()?;
        self.state.lock().unwrap().secret(id).cloned()
    }

    async fn secrets(&self, provider: Option<&Provider>) -> Result<Vec<Secret>> {
        self.sound()?;
        let matches = |secret: &&Secret| provider.is_none() || secret.provider.as_ref() == provider;
        Ok(self.state.lock().unwrap().secrets.iter().filter(matches).cloned().collect())
    }

    async fn update_secret(&self, caller: &Caller, change: SecretChange) -> Result<Written<Secret>> {
        let mut state = self.state.lock().unwrap();
        state.secret(&change.id)?;
        let secret = state.secrets.iter_mut().find(|secret| secret.id == change.id).unwrap();
        if let Some(value) = change.value {
            secret.masked_values = mask(&value);
            secret.version += 1;
        }
        if let Some(config) = change.auth_config {
            secret.auth_config = config.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        }
        secret.last_updated_at = self.tick();
        secret.last_updated_by.clone_from(&caller.actor);
        let secret = secret.clone();
        Ok(self.written(caller, secret))
    }

    async fn delete_secret(&self, caller: &Caller, id: &SecretId) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        state.secret(id)?;
        state.secrets.retain(|secret| secret.id != *id);
        for definition in &mut state.definitions {
            definition.secret = definition.secret.take().filter(|(secret, _)| secret != id);
        }
        Ok(self.receipt(caller))
    }

    async fn create_definition(
        &self,
        caller: &Caller,
        new: NewDefinition,
    ) -> Result<Written<ModelDefinition>> {
        let mut state = self.state.lock().unwrap();
        state.secret(&new.secret_id)?;
        state.free_definition_name(&new.name)?;
        let secret = Some(state.agree(&new.secret_id, &new.provider)?);
        let now = self.tick();
        let definition = ModelDefinition {
            id: ModelDefinitionId::from_random(self.bits()),
            name: new.name,
            secret,
            provider: new.provider,
            model_name: new.model_name,
            created_at: now,
            last_updated_at: now,
            created_by: caller.actor.clone(),
            last_updated_by: caller.actor.clone(),
        };
        state.definitions.push(definition.clone());
        Ok(self.written(caller, definition))
    }

    async fn definition(&self, id: &ModelDefinitionId) -> Result<ModelDefinition> {
        self.state.lock().unwrap().definition(id).cloned()
    }

    async fn definitions(&self, filter: &ListDefinitions) -> Result<Vec<ModelDefinition>> {
        let matches = |definition: &&ModelDefinition| {
            let secret = definition.secret.as_ref().map(|(id, _)| id);
            filter.provider.as_ref().is_none_or(|provider| definition.provider == *provider)
                && (filter.secret_id.is_none() || secret == filter.secret_id.as_ref())
        };
        Ok(self.state.lock().unwrap().definitions.iter().filter(matches).cloned().collect())
    }

    async fn update_definition(
        &self,
        caller: &Caller,
        change: DefinitionChange,
    ) -> Result<Written<ModelDefinition>> {
        let mut state = self.state.lock().unwrap();
        let mut changed = state.definition(&change.id)?.clone();
        if let Some(name) = change.name.filter(|name| *name != changed.name) {
            state.free_definition_name(&name)?;
            changed.name = name;
        }
        changed.provider = change.provider.unwrap_or(changed.provider);
        changed.model_name = change.model_name.unwrap_or(changed.model_name);
        if let Some(secret) = change.secret_id {
            changed.secret = Some(state.agree(&secret, &changed.provider)?);
        }
        changed.last_updated_at = self.tick();
        changed.last_updated_by = caller.actor.clone().or(changed.last_updated_by);
        let place = state.definitions.iter_mut().find(|definition| definition.id == change.id).unwrap();
        place.clone_from(&changed);
        Ok(self.written(caller, changed))
    }

    async fn delete_definition(&self, caller: &Caller, id: &ModelDefinitionId) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        state.definition(id)?;
        let mut mappings = state.endpoints.iter().flat_map(|endpoint| &endpoint.mappings);
        if mappings.any(|mapping| mapping.definition.id == *id) {
            let message = "Cannot delete model definition that is currently in use by endpoints. Detach it from \
                           all endpoints first.";
            return Err(StoreError::FailedPrecondition(message.to_owned()));
        }
        state.definitions.retain(|definition| definition.id != *id);
        Ok(self.receipt(caller))
    }

    async fn create_endpoint(&self, caller: &Caller, new: NewEndpoint) -> Result<Written<Endpoint>> {
        let mut state = self.state.lock().unwrap();
        state.free_endpoint_name(&new.name)?;
        state.known_experiment(new.experiment_id)?;
        let id = EndpointId::from_random(self.bits());
        let mappings = state.mappings(self, &id, new.models, caller.actor.as_ref())?;
        let mut experiment_id = new.experiment_id;
        if new.usage_tracking && experiment_id.is_none() {
            experiment_id = Some(state.experiment(self, &format!("gateway/{}", new.name), &id));
        }
        let now = self.tick();
        let endpoint = Endpoint {
            id,
            name: new.name,
            fallback_config: with_fallback(new.fallback_config, &mappings),
            mappings,
            tags: Vec::new(),
            routing_strategy: new.routing_strategy,
            experiment_id,
            usage_tracking: new.usage_tracking,
            created_at: now,
            last_updated_at: now,
            created_by: caller.actor.clone(),
            last_updated_by: caller.actor.clone(),
        };
        state.endpoints.push(endpoint.clone());
        Ok(self.written(caller, endpoint))
    }

    async fn endpoint(&self, which: &EndpointRef) -> Result<Endpoint> {
        let state = self.state.lock().unwrap();
        let found = match which {
            EndpointRef::Id(id) => state.endpoint(id)?,
            EndpointRef::Name(name) => state
                .endpoints
                .iter()
                .find(|endpoint| endpoint.name == *name)
                .ok_or_else(|| missing("GatewayEndpoint", "name", name))?,
        };
        Ok(state.fresh(found))
    }

    async fn endpoints(&self, provider: Option<&Provider>) -> Result<Vec<Endpoint>> {
        let state = self.state.lock().unwrap();
        let uses = |mapping: &Mapping| Some(&mapping.definition.provider) == provider;
        let matches = |endpoint: &&Endpoint| provider.is_none() || endpoint.mappings.iter().any(uses);
        Ok(state.endpoints.iter().filter(matches).map(|endpoint| state.fresh(endpoint)).collect())
    }

    async fn update_endpoint(&self, caller: &Caller, change: EndpointChange) -> Result<Written<Endpoint>> {
        let mut state = self.state.lock().unwrap();
        let mut changed = state.endpoint(&change.id)?.clone();
        if let Some(name) = change.name.filter(|name| *name != changed.name) {
            state.free_endpoint_name(&name)?;
            changed.name = name;
        }
        if let Some(models) = change.models {
            changed.mappings = state.mappings(self, &change.id, models, caller.actor.as_ref())?;
        }
        let config = change.fallback_config.or(changed.fallback_config);
        changed.fallback_config = with_fallback(config, &changed.mappings);
        changed.routing_strategy = change.routing_strategy.or(changed.routing_strategy);
        state.known_experiment(change.experiment_id)?;
        changed.experiment_id = change.experiment_id.or(changed.experiment_id);
        changed.usage_tracking = change.usage_tracking.unwrap_or(changed.usage_tracking);
        if changed.usage_tracking && changed.experiment_id.is_none() {
            let name = format!("gateway/{}", changed.name);
            changed.experiment_id = Some(state.experiment(self, &name, &change.id));
        }
        changed.last_updated_at = self.tick();
        changed.last_updated_by = caller.actor.clone().or(changed.last_updated_by);
        state.endpoint_mut(&change.id)?.clone_from(&changed);
        let fresh = state.fresh(&changed);
        Ok(self.written(caller, fresh))
    }

    async fn delete_endpoint(&self, caller: &Caller, id: &EndpointId) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        state.endpoint(id)?;
        state.endpoints.retain(|endpoint| endpoint.id != *id);
        state.bindings.retain(|binding| binding.endpoint_id != *id);
        Ok(self.receipt(caller))
    }

    async fn attach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        spec: MappingSpec,
    ) -> Result<Written<Mapping>> {
        let mut state = self.state.lock().unwrap();
        let definition =
            state.endpoint(endpoint).and_then(|_| state.definition(&spec.definition_id))?.clone();
        let now = self.tick();
        let place = state.endpoint_mut(endpoint)?;
        attachable(&place.mappings, endpoint, &spec)?;
        let mapping = Mapping {
            id: MappingId::from_random(self.bits()),
            endpoint_id: endpoint.clone(),
            definition,
            weight: spec.weight,
            linkage: spec.linkage,
            fallback_order: spec.fallback_order,
            created_at: now,
            created_by: caller.actor.clone(),
        };
        place.mappings.push(mapping.clone());
        place.fallback_config = with_fallback(place.fallback_config, &place.mappings);
        place.last_updated_by = caller.actor.clone().or_else(|| place.last_updated_by.clone());
        Ok(self.written(caller, mapping))
    }

    async fn detach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        definition: &ModelDefinitionId,
    ) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        let mappings = &mut state.endpoint_mut(endpoint)?.mappings;
        let before = mappings.len();
        mappings.retain(|mapping| mapping.definition.id != *definition);
        if mappings.len() == before {
            let message = format!("Model definition '{definition}' is not attached to endpoint '{endpoint}'");
            return Err(StoreError::NotFound(message));
        }
        Ok(self.receipt(caller))
    }

    async fn create_binding(&self, caller: &Caller, new: NewBinding) -> Result<Written<Binding>> {
        let mut state = self.state.lock().unwrap();
        state.endpoint(&new.endpoint_id)?;
        if state.bindings.iter().any(|binding| is(binding, &new)) {
            return Err(StoreError::AlreadyExists("This binding already exists".to_owned()));
        }
        let now = self.tick();
        let binding = Binding {
            endpoint_id: new.endpoint_id,
            resource_type: new.resource_type,
            resource_id: new.resource_id,
            created_at: now,
            last_updated_at: now,
            created_by: caller.actor.clone(),
            last_updated_by: caller.actor.clone(),
        };
        state.bindings.push(binding.clone());
        Ok(self.written(caller, binding))
    }

    async fn delete_binding(&self, caller: &Caller, which: NewBinding) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        if !state.bindings.iter().any(|binding| is(binding, &which)) {
            let NewBinding { endpoint_id, resource_type, resource_id } = which;
            return Err(StoreError::NotFound(format!(
                "GatewayEndpointBinding not found (endpoint_id='{endpoint_id}', \
                 resource_type='{resource_type}', resource_id='{resource_id}')"
            )));
        }
        state.bindings.retain(|binding| !is(binding, &which));
        Ok(self.receipt(caller))
    }

    async fn bindings(
        &self,
        endpoint: Option<&EndpointId>,
        resource_type: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<Vec<Binding>> {
        let matches = |binding: &&Binding| {
            endpoint.is_none_or(|id| binding.endpoint_id == *id)
                && resource_type.is_none_or(|kind| binding.resource_type == kind)
                && resource_id.is_none_or(|id| binding.resource_id == id)
        };
        Ok(self.state.lock().unwrap().bindings.iter().filter(matches).cloned().collect())
    }

    async fn set_tag(&self, caller: &Caller, endpoint: &EndpointId, tag: Tag) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        let tags = &mut state.endpoint_mut(endpoint)?.tags;
        tags.retain(|other| other.key != tag.key);
        tags.push(tag);
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(self.receipt(caller))
    }

    async fn delete_tag(&self, caller: &Caller, endpoint: &EndpointId, key: &str) -> Result<Receipt> {
        let mut state = self.state.lock().unwrap();
        state.endpoint_mut(endpoint)?.tags.retain(|tag| tag.key != key);
        Ok(self.receipt(caller))
    }

    async fn create_experiment(&self, caller: &Caller, new: NewExperiment) -> Result<Written<Experiment>> {
        let mut state = self.state.lock().unwrap();
        if state.experiments.iter().any(|experiment| experiment.name == new.name) {
            return Err(StoreError::AlreadyExists(format!("Experiment '{}' already exists.", new.name)));
        }
        let experiment = state.add_experiment(self, new);
        Ok(self.written(caller, experiment))
    }

    async fn experiment(&self, id: u64) -> Result<Experiment> {
        let state = self.state.lock().unwrap();
        state.known_experiment(Some(id))?;
        Ok(state.experiments.iter().find(|experiment| experiment.id == id).unwrap().clone())
    }

    async fn experiment_by_name(&self, name: &str) -> Result<Experiment> {
        let state = self.state.lock().unwrap();
        let found = state.experiments.iter().find(|experiment| experiment.name.as_str() == name);
        let message = || format!("Could not find experiment with name '{name}'");
        found.cloned().ok_or_else(|| StoreError::NotFound(message()))
    }

    async fn experiments(&self) -> Result<Vec<Experiment>> {
        Ok(self.state.lock().unwrap().experiments.clone())
    }
}

fn is(binding: &Binding, which: &NewBinding) -> bool {
    (&binding.endpoint_id, &binding.resource_type, &binding.resource_id)
        == (&which.endpoint_id, &which.resource_type, &which.resource_id)
}
