//! The client's side: `Admin`, `Catalog`, `Vault` and `Callers` at a store behind a channel.

mod admin;
mod audit;
mod client_keys;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use proto::store::v1::{
    admin_client::AdminClient, audit_log_client::AuditLogClient, callers_client::CallersClient,
    catalog_client::CatalogClient, client_keys_client::ClientKeysClient, vault_client::VaultClient,
};
use store::StoreError;
use tonic::{Request, Status, codegen::http::HeaderMap, transport::Channel};

use crate::{channel::MESSAGE_MAX, failure};

/// Writes trace context (`traceparent`, `tracestate`) into the headers of a call that is about to be made.
pub type Inject = Arc<dyn Fn(&mut HeaderMap) + Send + Sync>;

/// A store on the far side of a channel. Cheap to clone: all clones share its connection.
#[derive(Clone)]
pub struct Remote {
    channel: Channel,
    inject: Option<Inject>,
    trouble: Trouble,
}

/// What the transport said when a watch ended or did not begin; shared by clones and streams.
#[derive(Debug, Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn set(&self, said: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A watch's status, as the store's error.
    fn of(&self, status: &Status) -> StoreError {
        self.set(failure::of_transport(status));
        failure::of_read(status)
    }
}

impl Remote {
    /// The store behind this channel, best one of [`crate::channel`]. `inject` is called in the task of every call that
    /// is made.
    pub fn new(channel: Channel, inject: Option<Inject>) -> Self {
        Self { channel, inject, trouble: Trouble::default() }
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        if let Some(inject) = &self.inject {
            inject(request.metadata_mut().as_mut());
        }
        request
    }

    fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_MAX)
            .max_encoding_message_size(MESSAGE_MAX)
    }

    fn audit_log(&self) -> AuditLogClient<Channel> {
        AuditLogClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }

    fn client_keys(&self) -> ClientKeysClient<Channel> {
        ClientKeysClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_MAX)
            .max_encoding_message_size(MESSAGE_MAX)
    }

    fn callers(&self) -> CallersClient<Channel> {
        CallersClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }

    fn catalog(&self) -> CatalogClient<Channel> {
        CatalogClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }

    fn vault(&self) -> VaultClient<Channel> {
        VaultClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Remote").finish_non_exhaustive()
    }
}
