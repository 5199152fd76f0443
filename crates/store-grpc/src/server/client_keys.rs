//! `keyward.store.v1.ClientKeys` over [`store::ClientKeys`]: read the request, ask, write the answer.

use std::sync::Arc;

use access::KeyId;
use names::Label;
use proto::store::v1;
use store::Admin;
use tonic::{Request, Response, Status};

use super::admin::{Answer, caller, done, read, wrote};
use crate::{
    convert::{Wire, key_id, optional_name, to_wire_all},
    failure::{malformed_request, to_status},
};

/// The service.
pub(crate) struct Service(pub(crate) Arc<dyn Admin>);

/// Reads which key.
fn which(text: &str) -> Result<KeyId, Status> {
    key_id("key_id", text).map_err(|cause| malformed_request(&cause))
}

#[tonic::async_trait]
impl v1::client_keys_server::ClientKeys for Service {
    async fn create(
        &self,
        request: Request<v1::CreateClientKeyRequest>,
    ) -> Answer<v1::CreateClientKeyResponse> {
        let (caller, new) = read(request)?;
        let written = self.0.create_client_key(&caller, new).await;
        wrote(written, |minted, receipt| v1::CreateClientKeyResponse { minted, receipt })
    }

    async fn get(&self, request: Request<v1::GetClientKeyRequest>) -> Answer<v1::GetClientKeyResponse> {
        let key = self.0.client_key(&which(&request.into_inner().key_id)?).await.map_err(to_status)?;
        Ok(Response::new(v1::GetClientKeyResponse { key: Some(key.to_wire()) }))
    }

    async fn list(&self, request: Request<v1::ListClientKeysRequest>) -> Answer<v1::ListClientKeysResponse> {
        let owner = optional_name("owner", request.into_inner().owner, Label::parse);
        let owner = owner.map_err(|cause| malformed_request(&cause))?;
        let keys = self.0.client_keys(owner.as_ref()).await.map_err(to_status)?;
        Ok(Response::new(v1::ListClientKeysResponse { keys: to_wire_all(keys) }))
    }

    async fn update(
        &self,
        request: Request<v1::UpdateClientKeyRequest>,
    ) -> Answer<v1::UpdateClientKeyResponse> {
        let (caller, change) = read(request)?;
        let written = self.0.update_client_key(&caller, change).await;
        wrote(written, |key, receipt| v1::UpdateClientKeyResponse { key, receipt })
    }

    async fn rotate(
        &self,
        request: Request<v1::RotateClientKeyRequest>,
    ) -> Answer<v1::RotateClientKeyResponse> {
        let request = request.into_inner();
        let (caller, id) = (caller(request.caller)?, which(&request.key_id)?);
        let written = self.0.rotate_client_key(&caller, &id, request.overlap_ms).await;
        wrote(written, |minted, receipt| v1::RotateClientKeyResponse { minted, receipt })
    }

    async fn revoke(
        &self,
        request: Request<v1::RevokeClientKeyRequest>,
    ) -> Answer<v1::RevokeClientKeyResponse> {
        let request = request.into_inner();
        let written = self.0.revoke_client_key(&caller(request.caller)?, &which(&request.key_id)?).await;
        wrote(written, |key, receipt| v1::RevokeClientKeyResponse { key, receipt })
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteClientKeyRequest>,
    ) -> Answer<v1::DeleteClientKeyResponse> {
        let request = request.into_inner();
        let receipt = self.0.delete_client_key(&caller(request.caller)?, &which(&request.key_id)?).await;
        done(receipt, |receipt| v1::DeleteClientKeyResponse { receipt })
    }
}
