//! [`Admin`] in words: check and change by the rules, then wait for the watchers.

use access::KeyId;
use names::{EndpointId, Label, ModelDefinitionId, Provider, SecretId};

use super::Store;
use crate::{
    Admin, AuditEntry, AuditLog, AuditVerdict, Binding, Caller, ClientKey, ClientKeyChange, ClientKeys,
    DefinitionChange, Endpoint, EndpointChange, EndpointRef, Experiment, ListDefinitions, Mapping,
    MappingSpec, MintedKey, ModelDefinition, NewBinding, NewClientKey, NewDefinition, NewEndpoint,
    NewExperiment, NewSecret, Receipt, Secret, SecretChange, StoreError, Tag, Written,
    rules::{definition::definition_row, secret::secret_row},
    tables::convert,
};

impl Store {
    async fn receipt(&self, revision: u64) -> Receipt {
        self.settled(((), revision)).await.receipt
    }
}

#[async_trait::async_trait]
impl AuditLog for Store {
    async fn audit(&self, since: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.audit(since, limit).await
    }

    async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        self.inner.verify_audit().await
    }
}

#[async_trait::async_trait]
impl ClientKeys for Store {
    async fn create_client_key(
        &self,
        caller: &Caller,
        new: NewClientKey,
    ) -> Result<Written<MintedKey>, StoreError> {
        Ok(self.settled(self.inner.create_client_key(caller, new).await?).await)
    }

    async fn client_key(&self, key_id: &KeyId) -> Result<ClientKey, StoreError> {
        self.inner.client_key(key_id).await
    }

    async fn client_keys(&self, owner: Option<&Label>) -> Result<Vec<ClientKey>, StoreError> {
        self.inner.client_keys(owner).await
    }

    async fn update_client_key(
        &self,
        caller: &Caller,
        change: ClientKeyChange,
    ) -> Result<Written<ClientKey>, StoreError> {
        Ok(self.settled(self.inner.update_client_key(caller, change).await?).await)
    }

    async fn rotate_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
        overlap_ms: i64,
    ) -> Result<Written<MintedKey>, StoreError> {
        Ok(self.settled(self.inner.rotate_client_key(caller, key_id, overlap_ms).await?).await)
    }

    async fn revoke_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
    ) -> Result<Written<ClientKey>, StoreError> {
        Ok(self.settled(self.inner.revoke_client_key(caller, key_id).await?).await)
    }

    async fn delete_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.delete_client_key(caller, key_id).await?).await)
    }
}

#[async_trait::async_trait]
impl Admin for Store {
    async fn create_secret(&self, caller: &Caller, new: NewSecret) -> Result<Written<Secret>, StoreError> {
        Ok(self.settled(self.inner.create_secret(caller, new).await?).await)
    }

    async fn secret(&self, id: &SecretId) -> Result<Secret, StoreError> {
        let mut rows = self.inner.read().await?;
        Ok(convert::secret(&secret_row(rows.as_mut(), id.as_str()).await?)?)
    }

    async fn secrets(&self, provider: Option<&Provider>) -> Result<Vec<Secret>, StoreError> {
        let rows = self.inner.read().await?.secrets().await?;
        let mut secrets = rows.iter().map(convert::secret).collect::<Result<Vec<_>, _>>()?;
        secrets.retain(|secret| provider.is_none() || secret.provider.as_ref() == provider);
        Ok(secrets)
    }

    async fn update_secret(
        &self,
        caller: &Caller,
        change: SecretChange,
    ) -> Result<Written<Secret>, StoreError> {
        Ok(self.settled(self.inner.update_secret(caller, change).await?).await)
    }

    async fn delete_secret(&self, caller: &Caller, id: &SecretId) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.delete_secret(caller, id).await?).await)
    }

    async fn create_definition(
        &self,
        caller: &Caller,
        new: NewDefinition,
    ) -> Result<Written<ModelDefinition>, StoreError> {
        Ok(self.settled(self.inner.create_definition(caller, new).await?).await)
    }

    async fn definition(&self, id: &ModelDefinitionId) -> Result<ModelDefinition, StoreError> {
        let mut rows = self.inner.read().await?;
        Ok(convert::definition(&definition_row(rows.as_mut(), id.as_str()).await?)?)
    }

    async fn definitions(&self, filter: &ListDefinitions) -> Result<Vec<ModelDefinition>, StoreError> {
        let rows = self.inner.read().await?.definitions().await?;
        let mut definitions = rows.iter().map(convert::definition).collect::<Result<Vec<_>, _>>()?;
        definitions.retain(|definition| {
            let secret = definition.secret.as_ref().map(|(id, _)| id);
            filter.provider.as_ref().is_none_or(|provider| definition.provider == *provider)
                && filter.secret_id.as_ref().is_none_or(|id| secret == Some(id))
        });
        Ok(definitions)
    }

    async fn update_definition(
        &self,
        caller: &Caller,
        change: DefinitionChange,
    ) -> Result<Written<ModelDefinition>, StoreError> {
        Ok(self.settled(self.inner.update_definition(caller, change).await?).await)
    }

    async fn delete_definition(
        &self,
        caller: &Caller,
        id: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.delete_definition(caller, id).await?).await)
    }

    async fn create_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<Written<Endpoint>, StoreError> {
        Ok(self.settled(self.inner.create_endpoint(caller, new).await?).await)
    }

    async fn endpoint(&self, which: &EndpointRef) -> Result<Endpoint, StoreError> {
        self.inner.endpoint(which).await
    }

    async fn endpoints(&self, provider: Option<&Provider>) -> Result<Vec<Endpoint>, StoreError> {
        let mut endpoints = self.inner.endpoints().await?;
        if let Some(provider) = provider {
            endpoints.retain(|endpoint| {
                endpoint.mappings.iter().any(|mapping| mapping.definition.provider == *provider)
            });
        }
        Ok(endpoints)
    }

    async fn update_endpoint(
        &self,
        caller: &Caller,
        change: EndpointChange,
    ) -> Result<Written<Endpoint>, StoreError> {
        Ok(self.settled(self.inner.update_endpoint(caller, change).await?).await)
    }

    async fn delete_endpoint(&self, caller: &Caller, id: &EndpointId) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.delete_endpoint(caller, id).await?).await)
    }

    async fn attach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        spec: MappingSpec,
    ) -> Result<Written<Mapping>, StoreError> {
        Ok(self.settled(self.inner.attach(caller, endpoint, spec).await?).await)
    }

    async fn detach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        definition: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.detach(caller, endpoint, definition).await?).await)
    }

    async fn create_binding(&self, caller: &Caller, new: NewBinding) -> Result<Written<Binding>, StoreError> {
        Ok(self.settled(self.inner.create_binding(caller, new).await?).await)
    }

    async fn delete_binding(&self, caller: &Caller, which: NewBinding) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.delete_binding(caller, which).await?).await)
    }

    async fn bindings(
        &self,
        endpoint: Option<&EndpointId>,
        resource_type: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<Vec<Binding>, StoreError> {
        let mut rows = self.inner.read().await?.bindings(endpoint.map(EndpointId::as_str)).await?;
        rows.retain(|row| {
            resource_type.is_none_or(|text| row.resource_type == text)
                && resource_id.is_none_or(|text| row.resource_id == text)
        });
        Ok(rows.iter().map(convert::binding).collect::<Result<_, _>>()?)
    }

    async fn set_tag(&self, caller: &Caller, endpoint: &EndpointId, tag: Tag) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.set_tag(caller, endpoint, tag).await?).await)
    }

    async fn delete_tag(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        key: &str,
    ) -> Result<Receipt, StoreError> {
        Ok(self.receipt(self.inner.delete_tag(caller, endpoint, key).await?).await)
    }

    async fn create_experiment(
        &self,
        caller: &Caller,
        new: NewExperiment,
    ) -> Result<Written<Experiment>, StoreError> {
        Ok(self.settled(self.inner.create_experiment(caller, new).await?).await)
    }

    async fn experiment(&self, id: u64) -> Result<Experiment, StoreError> {
        self.inner.experiment(id).await
    }

    async fn experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        self.inner.experiment_by_name(name).await
    }

    async fn experiments(&self) -> Result<Vec<Experiment>, StoreError> {
        let rows = self.inner.read().await?.experiments().await?;
        Ok(rows.iter().map(convert::experiment).collect::<Result<_, _>>()?)
    }
}
