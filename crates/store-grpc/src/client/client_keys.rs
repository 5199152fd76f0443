//! [`ClientKeys`] at a remote store: write the request, call, read the answer.

use access::KeyId;
use names::Label;
use proto::store::v1;
use store::{
    Caller, ClientKey, ClientKeyChange, ClientKeys, MintedKey, NewClientKey, Receipt, StoreError, Written,
};
use tonic::async_trait;

use super::{
    Remote,
    admin::{changed, got},
};
use crate::convert::{Wire, all, required, written};

#[async_trait]
impl ClientKeys for Remote {
    async fn create_client_key(
        &self,
        caller: &Caller,
        new: NewClientKey,
    ) -> Result<Written<MintedKey>, StoreError> {
        let request = self.request((caller.clone(), new).to_wire());
        let answer = self.client_keys().create(request).await;
        changed(answer, |message| written("minted", message.minted, message.receipt))
    }

    async fn client_key(&self, key_id: &KeyId) -> Result<ClientKey, StoreError> {
        let request = self.request(v1::GetClientKeyRequest { key_id: key_id.to_string() });
        got(self.client_keys().get(request).await, |message| required("key", message.key))
    }

    async fn client_keys(&self, owner: Option<&Label>) -> Result<Vec<ClientKey>, StoreError> {
        let request = self.request(v1::ListClientKeysRequest { owner: owner.map(ToString::to_string) });
        got(self.client_keys().list(request).await, |message| all(message.keys))
    }

    async fn update_client_key(
        &self,
        caller: &Caller,
        change: ClientKeyChange,
    ) -> Result<Written<ClientKey>, StoreError> {
        let request = self.request((caller.clone(), change).to_wire());
        let answer = self.client_keys().update(request).await;
        changed(answer, |message| written("key", message.key, message.receipt))
    }

    async fn rotate_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
        overlap_ms: i64,
    ) -> Result<Written<MintedKey>, StoreError> {
        let caller = Some(caller.clone().to_wire());
        let message = v1::RotateClientKeyRequest { caller, key_id: key_id.to_string(), overlap_ms };
        let answer = self.client_keys().rotate(self.request(message)).await;
        changed(answer, |message| written("minted", message.minted, message.receipt))
    }

    async fn revoke_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
    ) -> Result<Written<ClientKey>, StoreError> {
        let caller = Some(caller.clone().to_wire());
        let message = v1::RevokeClientKeyRequest { caller, key_id: key_id.to_string() };
        let answer = self.client_keys().revoke(self.request(message)).await;
        changed(answer, |message| written("key", message.key, message.receipt))
    }

    async fn delete_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<Receipt, StoreError> {
        let caller = Some(caller.clone().to_wire());
        let message = v1::DeleteClientKeyRequest { caller, key_id: key_id.to_string() };
        let answer = self.client_keys().delete(self.request(message)).await;
        changed(answer, |message| required("receipt", message.receipt))
    }
}
