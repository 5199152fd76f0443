//! `keyward.store.v1.Admin` over an [`Admin`]: read the request, ask, write the answer.

use std::sync::Arc;

use names::{EndpointId, ModelDefinitionId, NameError, Provider, SecretId};
use proto::store::v1;
use store::{
    Admin, Caller, EndpointRef, ListDefinitions, MappingSpec, NewBinding, Receipt, StoreError, Tag, Written,
};
use tonic::{Request, Response, Status};

use crate::{
    convert::{Malformed, Wire, name, optional_name, required, to_wire_all},
    failure::{malformed_request, to_status},
};

/// The service.
pub(crate) struct Service(pub(crate) Arc<dyn Admin>);

pub(super) type Answer<M> = Result<Response<M>, Status>;

/// Reads a request as a whole.
pub(super) fn read<T: Wire>(request: Request<T::Message>) -> Result<T, Status> {
    T::from_wire(request.into_inner()).map_err(|cause| malformed_request(&cause))
}

/// Reads an identifier or another name.
fn named<T>(field: &'static str, text: &str, parse: fn(&str) -> Result<T, NameError>) -> Result<T, Status> {
    name(field, text, parse).map_err(|cause| malformed_request(&cause))
}

/// Reads who asks.
pub(super) fn caller(message: Option<v1::Caller>) -> Result<Caller, Status> {
    required("caller", message).map_err(|cause| malformed_request(&cause))
}

/// Reads the filter of a list.
fn provider(text: Option<String>) -> Result<Option<Provider>, Status> {
    optional_name("provider", text, Provider::parse).map_err(|cause| malformed_request(&cause))
}

/// Writes the answer to a change that leaves a value.
pub(super) fn wrote<T: Wire, M>(
    written: Result<Written<T>, StoreError>,
    message: impl FnOnce(Option<T::Message>, Option<v1::Receipt>) -> M,
) -> Answer<M> {
    let Written { value, receipt } = written.map_err(to_status)?;
    Ok(Response::new(message(Some(value.to_wire()), Some(receipt.to_wire()))))
}

/// Writes the answer to a change that leaves nothing.
pub(super) fn done<M>(
    receipt: Result<Receipt, StoreError>,
    message: impl FnOnce(Option<v1::Receipt>) -> M,
) -> Answer<M> {
    Ok(Response::new(message(Some(receipt.map_err(to_status)?.to_wire()))))
}

#[tonic::async_trait]
impl v1::admin_server::Admin for Service {
    async fn create_secret(
        &self,
        request: Request<v1::CreateSecretRequest>,
    ) -> Answer<v1::CreateSecretResponse> {
        let (caller, new) = read(request)?;
        let written = self.0.create_secret(&caller, new).await;
        wrote(written, |secret, receipt| v1::CreateSecretResponse { secret, receipt })
    }

    async fn get_secret(&self, request: Request<v1::GetSecretRequest>) -> Answer<v1::GetSecretResponse> {
        let id = named("id", &request.into_inner().id, SecretId::parse)?;
        let secret = self.0.secret(&id).await.map_err(to_status)?;
        Ok(Response::new(v1::GetSecretResponse { secret: Some(secret.to_wire()) }))
    }

    async fn list_secrets(
        &self,
        request: Request<v1::ListSecretsRequest>,
    ) -> Answer<v1::ListSecretsResponse> {
        let provider = provider(request.into_inner().provider)?;
        let secrets = self.0.secrets(provider.as_ref()).await.map_err(to_status)?;
        Ok(Response::new(v1::ListSecretsResponse { secrets: to_wire_all(secrets) }))
    }

    async fn update_secret(
        &self,
        request: Request<v1::UpdateSecretRequest>,
    ) -> Answer<v1::UpdateSecretResponse> {
        let (caller, change) = read(request)?;
        let written = self.0.update_secret(&caller, change).await;
        wrote(written, |secret, receipt| v1::UpdateSecretResponse { secret, receipt })
    }

    async fn delete_secret(
        &self,
        request: Request<v1::DeleteSecretRequest>,
    ) -> Answer<v1::DeleteSecretResponse> {
        let request = request.into_inner();
        let id = named("id", &request.id, SecretId::parse)?;
        let receipt = self.0.delete_secret(&caller(request.caller)?, &id).await;
        done(receipt, |receipt| v1::DeleteSecretResponse { receipt })
    }

    async fn create_definition(
        &self,
        request: Request<v1::CreateDefinitionRequest>,
    ) -> Answer<v1::CreateDefinitionResponse> {
        let (caller, new) = read(request)?;
        let written = self.0.create_definition(&caller, new).await;
        wrote(written, |definition, receipt| v1::CreateDefinitionResponse { definition, receipt })
    }

    async fn get_definition(
        &self,
        request: Request<v1::GetDefinitionRequest>,
    ) -> Answer<v1::GetDefinitionResponse> {
        let id = named("id", &request.into_inner().id, ModelDefinitionId::parse)?;
        let definition = self.0.definition(&id).await.map_err(to_status)?;
        Ok(Response::new(v1::GetDefinitionResponse { definition: Some(definition.to_wire()) }))
    }

    async fn list_definitions(
        &self,
        request: Request<v1::ListDefinitionsRequest>,
    ) -> Answer<v1::ListDefinitionsResponse> {
        let filter: ListDefinitions = read(request)?;
        let definitions = self.0.definitions(&filter).await.map_err(to_status)?;
        Ok(Response::new(v1::ListDefinitionsResponse { definitions: to_wire_all(definitions) }))
    }

    async fn update_definition(
        &self,
        request: Request<v1::UpdateDefinitionRequest>,
    ) -> Answer<v1::UpdateDefinitionResponse> {
        let (caller, change) = read(request)?;
        let written = self.0.update_definition(&caller, change).await;
        wrote(written, |definition, receipt| v1::UpdateDefinitionResponse { definition, receipt })
    }

    async fn delete_definition(
        &self,
        request: Request<v1::DeleteDefinitionRequest>,
    ) -> Answer<v1::DeleteDefinitionResponse> {
        let request = request.into_inner();
        let id = named("id", &request.id, ModelDefinitionId::parse)?;
        let receipt = self.0.delete_definition(&caller(request.caller)?, &id).await;
        done(receipt, |receipt| v1::DeleteDefinitionResponse { receipt })
    }

    async fn create_endpoint(
        &self,
        request: Request<v1::CreateEndpointRequest>,
    ) -> Answer<v1::CreateEndpointResponse> {
        let (caller, new) = read(request)?;
        let written = self.0.create_endpoint(&caller, new).await;
        wrote(written, |endpoint, receipt| v1::CreateEndpointResponse { endpoint, receipt })
    }

    async fn get_endpoint(
        &self,
        request: Request<v1::GetEndpointRequest>,
    ) -> Answer<v1::GetEndpointResponse> {
        let which: EndpointRef = read(request)?;
        let endpoint = self.0.endpoint(&which).await.map_err(to_status)?;
        Ok(Response::new(v1::GetEndpointResponse { endpoint: Some(endpoint.to_wire()) }))
    }

    async fn list_endpoints(
        &self,
        request: Request<v1::ListEndpointsRequest>,
    ) -> Answer<v1::ListEndpointsResponse> {
        let provider = provider(request.into_inner().provider)?;
        let endpoints = self.0.endpoints(provider.as_ref()).await.map_err(to_status)?;
        Ok(Response::new(v1::ListEndpointsResponse { endpoints: to_wire_all(endpoints) }))
    }

    async fn update_endpoint(
        &self,
        request: Request<v1::UpdateEndpointRequest>,
    ) -> Answer<v1::UpdateEndpointResponse> {
        let (caller, change) = read(request)?;
        let written = self.0.update_endpoint(&caller, change).await;
        wrote(written, |endpoint, receipt| v1::UpdateEndpointResponse { endpoint, receipt })
    }

    async fn delete_endpoint(
        &self,
        request: Request<v1::DeleteEndpointRequest>,
    ) -> Answer<v1::DeleteEndpointResponse> {
        let request = request.into_inner();
        let id = named("id", &request.id, EndpointId::parse)?;
        let receipt = self.0.delete_endpoint(&caller(request.caller)?, &id).await;
        done(receipt, |receipt| v1::DeleteEndpointResponse { receipt })
    }

    async fn attach(&self, request: Request<v1::AttachRequest>) -> Answer<v1::AttachResponse> {
        let request = request.into_inner();
        let endpoint = named("endpoint_id", &request.endpoint_id, EndpointId::parse)?;
        let spec: MappingSpec = required("spec", request.spec).map_err(|cause| malformed_request(&cause))?;
        let caller = caller(request.caller)?;
        let written = self.0.attach(&caller, &endpoint, spec).await;
        wrote(written, |mapping, receipt| v1::AttachResponse { mapping, receipt })
    }

    async fn detach(&self, request: Request<v1::DetachRequest>) -> Answer<v1::DetachResponse> {
        let request = request.into_inner();
        let endpoint = named("endpoint_id", &request.endpoint_id, EndpointId::parse)?;
        let definition = named("definition_id", &request.definition_id, ModelDefinitionId::parse)?;
        let caller = caller(request.caller)?;
        let receipt = self.0.detach(&caller, &endpoint, &definition).await;
        done(receipt, |receipt| v1::DetachResponse { receipt })
    }

    async fn create_binding(
        &self,
        request: Request<v1::CreateBindingRequest>,
    ) -> Answer<v1::CreateBindingResponse> {
        let (caller, new): (Caller, NewBinding) = read(request)?;
        let written = self.0.create_binding(&caller, new).await;
        wrote(written, |binding, receipt| v1::CreateBindingResponse { binding, receipt })
    }

    async fn delete_binding(
        &self,
        request: Request<v1::DeleteBindingRequest>,
    ) -> Answer<v1::DeleteBindingResponse> {
        let request = request.into_inner();
        let which = NewBinding {
            endpoint_id: named("endpoint_id", &request.endpoint_id, EndpointId::parse)?,
            resource_type: request.resource_type,
            resource_id: request.resource_id,
        };
        let receipt = self.0.delete_binding(&caller(request.caller)?, which).await;
        done(receipt, |receipt| v1::DeleteBindingResponse { receipt })
    }

    async fn list_bindings(
        &self,
        request: Request<v1::ListBindingsRequest>,
    ) -> Answer<v1::ListBindingsResponse> {
        let v1::ListBindingsRequest { endpoint_id, resource_type, resource_id } = request.into_inner();
        let endpoint = optional_name("endpoint_id", endpoint_id, EndpointId::parse)
            .map_err(|cause: Malformed| malformed_request(&cause))?;
        let found = self.0.bindings(endpoint.as_ref(), resource_type.as_deref(), resource_id.as_deref());
        let bindings = to_wire_all(found.await.map_err(to_status)?);
        Ok(Response::new(v1::ListBindingsResponse { bindings }))
    }

    async fn set_tag(&self, request: Request<v1::SetTagRequest>) -> Answer<v1::SetTagResponse> {
        let request = request.into_inner();
        let endpoint = named("endpoint_id", &request.endpoint_id, EndpointId::parse)?;
        let tag: Tag = required("tag", request.tag).map_err(|cause| malformed_request(&cause))?;
        let caller = caller(request.caller)?;
        let receipt = self.0.set_tag(&caller, &endpoint, tag).await;
        done(receipt, |receipt| v1::SetTagResponse { receipt })
    }

    async fn delete_tag(&self, request: Request<v1::DeleteTagRequest>) -> Answer<v1::DeleteTagResponse> {
        let request = request.into_inner();
        let endpoint = named("endpoint_id", &request.endpoint_id, EndpointId::parse)?;
        let caller = caller(request.caller)?;
        let receipt = self.0.delete_tag(&caller, &endpoint, &request.key).await;
        done(receipt, |receipt| v1::DeleteTagResponse { receipt })
    }

    async fn create_experiment(
        &self,
        request: Request<v1::CreateExperimentRequest>,
    ) -> Answer<v1::CreateExperimentResponse> {
        let (caller, new) = read(request)?;
        let written = self.0.create_experiment(&caller, new).await;
        wrote(written, |experiment, receipt| v1::CreateExperimentResponse { experiment, receipt })
    }

    async fn get_experiment(
        &self,
        request: Request<v1::GetExperimentRequest>,
    ) -> Answer<v1::GetExperimentResponse> {
        let experiment = self.0.experiment(request.into_inner().id).await.map_err(to_status)?;
        Ok(Response::new(v1::GetExperimentResponse { experiment: Some(experiment.to_wire()) }))
    }

    async fn get_experiment_by_name(
        &self,
        request: Request<v1::GetExperimentByNameRequest>,
    ) -> Answer<v1::GetExperimentByNameResponse> {
        let name = request.into_inner().name;
        let experiment = self.0.experiment_by_name(&name).await.map_err(to_status)?;
        Ok(Response::new(v1::GetExperimentByNameResponse { experiment: Some(experiment.to_wire()) }))
    }

    async fn list_experiments(
        &self,
        _: Request<v1::ListExperimentsRequest>,
    ) -> Answer<v1::ListExperimentsResponse> {
        let experiments = to_wire_all(self.0.experiments().await.map_err(to_status)?);
        Ok(Response::new(v1::ListExperimentsResponse { experiments }))
    }
}
