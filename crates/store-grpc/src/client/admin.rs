//! [`Admin`] at a remote store: write the request, call, read the answer.

use names::{EndpointId, ModelDefinitionId, Provider, SecretId};
use proto::store::v1;
use store::{
    Admin, Binding, Caller, DefinitionChange, Endpoint, EndpointChange, EndpointRef, Experiment,
    ListDefinitions, Mapping, MappingSpec, ModelDefinition, NewBinding, NewDefinition, NewEndpoint,
    NewExperiment, NewSecret, Receipt, Secret, SecretChange, StoreError, Tag, Written,
};
use tonic::{Response, Status, async_trait};

use super::Remote;
use crate::{
    convert::{Malformed, Wire, all, required, written},
    failure::{malformed_answer, of_change, of_read},
};

/// Reads the answer to a question.
pub(super) fn got<M, T>(
    answer: Result<Response<M>, Status>,
    read: impl FnOnce(M) -> Result<T, Malformed>,
) -> Result<T, StoreError> {
    let message = answer.map_err(|status| of_read(&status))?.into_inner();
    read(message).map_err(|cause| malformed_answer(&cause))
}

/// Reads the answer to a change.
pub(super) fn changed<M, T>(
    answer: Result<Response<M>, Status>,
    read: impl FnOnce(M) -> Result<T, Malformed>,
) -> Result<T, StoreError> {
    let message = answer.map_err(|status| of_change(&status))?.into_inner();
    read(message).map_err(|cause| malformed_answer(&cause))
}

#[async_trait]
impl Admin for Remote {
    async fn create_secret(&self, caller: &Caller, new: NewSecret) -> Result<Written<Secret>, StoreError> {
        let request = self.request((caller.clone(), new).to_wire());
        let answer = self.admin().create_secret(request).await;
        changed(answer, |message| written("secret", message.secret, message.receipt))
    }

    async fn secret(&self, id: &SecretId) -> Result<Secret, StoreError> {
        let request = self.request(v1::GetSecretRequest { id: id.to_string() });
        got(self.admin().get_secret(request).await, |message| required("secret", message.secret))
    }

    async fn secrets(&self, provider: Option<&Provider>) -> Result<Vec<Secret>, StoreError> {
        let request = self.request(v1::ListSecretsRequest { provider: provider.map(ToString::to_string) });
        got(self.admin().list_secrets(request).await, |message| all(message.secrets))
    }

    async fn update_secret(
        &self,
        caller: &Caller,
        change: SecretChange,
    ) -> Result<Written<Secret>, StoreError> {
        let request = self.request((caller.clone(), change).to_wire());
        let answer = self.admin().update_secret(request).await;
        changed(answer, |message| written("secret", message.secret, message.receipt))
    }

    async fn delete_secret(&self, caller: &Caller, id: &SecretId) -> Result<Receipt, StoreError> {
        let caller = Some(caller.clone().to_wire());
        let request = self.request(v1::DeleteSecretRequest { caller, id: id.to_string() });
        changed(self.admin().delete_secret(request).await, |message| required("receipt", message.receipt))
    }

    async fn create_definition(
        &self,
        caller: &Caller,
        new: NewDefinition,
    ) -> Result<Written<ModelDefinition>, StoreError> {
        let request = self.request((caller.clone(), new).to_wire());
        let answer = self.admin().create_definition(request).await;
        changed(answer, |message| written("definition", message.definition, message.receipt))
    }

    async fn definition(&self, id: &ModelDefinitionId) -> Result<ModelDefinition, StoreError> {
        let request = self.request(v1::GetDefinitionRequest { id: id.to_string() });
        let answer = self.admin().get_definition(request).await;
        got(answer, |message| required("definition", message.definition))
    }

    async fn definitions(&self, filter: &ListDefinitions) -> Result<Vec<ModelDefinition>, StoreError> {
        let request = self.request(filter.clone().to_wire());
        got(self.admin().list_definitions(request).await, |message| all(message.definitions))
    }

    async fn update_definition(
        &self,
        caller: &Caller,
        change: DefinitionChange,
    ) -> Result<Written<ModelDefinition>, StoreError> {
        let request = self.request((caller.clone(), change).to_wire());
        let answer = self.admin().update_definition(request).await;
        changed(answer, |message| written("definition", message.definition, message.receipt))
    }

    async fn delete_definition(
        &self,
        caller: &Caller,
        id: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError> {
        let caller = Some(caller.clone().to_wire());
        let request = self.request(v1::DeleteDefinitionRequest { caller, id: id.to_string() });
        let answer = self.admin().delete_definition(request).await;
        changed(answer, |message| required("receipt", message.receipt))
    }

    async fn create_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<Written<Endpoint>, StoreError> {
        let request = self.request((caller.clone(), new).to_wire());
        let answer = self.admin().create_endpoint(request).await;
        changed(answer, |message| written("endpoint", message.endpoint, message.receipt))
    }

    async fn endpoint(&self, which: &EndpointRef) -> Result<Endpoint, StoreError> {
        let request = self.request(which.clone().to_wire());
        got(self.admin().get_endpoint(request).await, |message| required("endpoint", message.endpoint))
    }

    async fn endpoints(&self, provider: Option<&Provider>) -> Result<Vec<Endpoint>, StoreError> {
        let provider = provider.map(ToString::to_string);
        let request = self.request(v1::ListEndpointsRequest { provider });
        got(self.admin().list_endpoints(request).await, |message| all(message.endpoints))
    }

    async fn update_endpoint(
        &self,
        caller: &Caller,
        change: EndpointChange,
    ) -> Result<Written<Endpoint>, StoreError> {
        let request = self.request((caller.clone(), change).to_wire());
        let answer = self.admin().update_endpoint(request).await;
        changed(answer, |message| written("endpoint", message.endpoint, message.receipt))
    }

    async fn delete_endpoint(&self, caller: &Caller, id: &EndpointId) -> Result<Receipt, StoreError> {
        let caller = Some(caller.clone().to_wire());
        let request = self.request(v1::DeleteEndpointRequest { caller, id: id.to_string() });
        let answer = self.admin().delete_endpoint(request).await;
        changed(answer, |message| required("receipt", message.receipt))
    }

    async fn attach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        spec: MappingSpec,
    ) -> Result<Written<Mapping>, StoreError> {
        let request = self.request(v1::AttachRequest {
            caller: Some(caller.clone().to_wire()),
            endpoint_id: endpoint.to_string(),
            spec: Some(spec.to_wire()),
        });
        let answer = self.admin().attach(request).await;
        changed(answer, |message| written("mapping", message.mapping, message.receipt))
    }

    async fn detach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        definition: &ModelDefinitionId,
    ) -> Result<Receipt, StoreError> {
        let request = self.request(v1::DetachRequest {
            caller: Some(caller.clone().to_wire()),
            endpoint_id: endpoint.to_string(),
            definition_id: definition.to_string(),
        });
        changed(self.admin().detach(request).await, |message| required("receipt", message.receipt))
    }

    async fn create_binding(&self, caller: &Caller, new: NewBinding) -> Result<Written<Binding>, StoreError> {
        let request = self.request((caller.clone(), new).to_wire());
        let answer = self.admin().create_binding(request).await;
        changed(answer, |message| written("binding", message.binding, message.receipt))
    }

    async fn delete_binding(&self, caller: &Caller, which: NewBinding) -> Result<Receipt, StoreError> {
        let request = self.request(v1::DeleteBindingRequest {
            caller: Some(caller.clone().to_wire()),
            endpoint_id: which.endpoint_id.into(),
            resource_type: which.resource_type,
            resource_id: which.resource_id,
        });
        let answer = self.admin().delete_binding(request).await;
        changed(answer, |message| required("receipt", message.receipt))
    }

    async fn bindings(
        &self,
        endpoint: Option<&EndpointId>,
        resource_type: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<Vec<Binding>, StoreError> {
        let request = self.request(v1::ListBindingsRequest {
            endpoint_id: endpoint.map(ToString::to_string),
            resource_type: resource_type.map(ToOwned::to_owned),
            resource_id: resource_id.map(ToOwned::to_owned),
        });
        got(self.admin().list_bindings(request).await, |message| all(message.bindings))
    }

    async fn set_tag(&self, caller: &Caller, endpoint: &EndpointId, tag: Tag) -> Result<Receipt, StoreError> {
        let request = self.request(v1::SetTagRequest {
            caller: Some(caller.clone().to_wire()),
            endpoint_id: endpoint.to_string(),
            tag: Some(tag.to_wire()),
        });
        changed(self.admin().set_tag(request).await, |message| required("receipt", message.receipt))
    }

    async fn delete_tag(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        key: &str,
    ) -> Result<Receipt, StoreError> {
        let request = self.request(v1::DeleteTagRequest {
            caller: Some(caller.clone().to_wire()),
            endpoint_id: endpoint.to_string(),
            key: key.to_owned(),
        });
        changed(self.admin().delete_tag(request).await, |message| required("receipt", message.receipt))
    }

    async fn create_experiment(
        &self,
        caller: &Caller,
        new: NewExperiment,
    ) -> Result<Written<Experiment>, StoreError> {
        let request = self.request((caller.clone(), new).to_wire());
        let answer = self.admin().create_experiment(request).await;
        changed(answer, |message| written("experiment", message.experiment, message.receipt))
    }

    async fn experiment(&self, id: u64) -> Result<Experiment, StoreError> {
        let request = self.request(v1::GetExperimentRequest { id });
        let answer = self.admin().get_experiment(request).await;
        got(answer, |message| required("experiment", message.experiment))
    }

    async fn experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        let request = self.request(v1::GetExperimentByNameRequest { name: name.to_owned() });
        let answer = self.admin().get_experiment_by_name(request).await;
        got(answer, |message| required("experiment", message.experiment))
    }

    async fn experiments(&self) -> Result<Vec<Experiment>, StoreError> {
        let request = self.request(v1::ListExperimentsRequest {});
        got(self.admin().list_experiments(request).await, |message| all(message.experiments))
    }
}
