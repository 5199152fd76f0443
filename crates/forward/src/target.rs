//! What a forwarder knows of a target, from its own pushed state, never from the edge.

use std::{collections::BTreeMap, sync::Arc};

use names::{EndpointName, MappingId, ModelName, Provider, SecretId};

/// One target of calls: where they go, as which model, with which credential.
#[derive(Debug)]
pub struct Target {
    /// The mapping that the edge names.
    pub mapping: MappingId,
    /// The endpoint it belongs to.
    pub endpoint: EndpointName,
    /// Whose API it speaks.
    pub provider: Provider,
    /// The provider's own name of the model.
    pub model: ModelName,
    /// The secret, and its version: a pool key, so that no connection is shared between secrets.
    pub secret: (SecretId, u64),
    /// The secret's public settings (`api_base`, `api_version`, …), checked when they were written.
    pub settings: BTreeMap<String, String>,
    /// The secret's values and the hosts they may be sent to.
    pub credential: Credential,
}

/// A secret in the clear, in the one room that uses it. No `Display`; `Debug` masks.
pub struct Credential {
    /// Fields by name, e.g. `api_key`.
    pub fields: BTreeMap<String, secrecy::SecretString>,
    /// Hosts (lower case, without port) that the fields may be sent to; sealed with them. Empty: the provider's defaults.
    pub allowed_hosts: Vec<String>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credential")
            .field("allowed_hosts", &self.allowed_hosts)
            .finish_non_exhaustive()
    }
}

/// A forwarder's own state: targets by mapping, held in memory.
#[async_trait::async_trait]
pub trait Targets: Send + Sync + 'static {
    /// The target of a mapping, if it is known.
    fn target(&self, mapping: &MappingId) -> Option<Arc<Target>>;

    /// Waits until this state has reached `revision`, at most for the state's own `catch_up_max`; whether it has.
    async fn reached(&self, revision: u64) -> bool;
}
