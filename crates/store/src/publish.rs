//! The state that is pushed: to edges without secrets, to forwarders with secrets sealed to their own key.

mod callers;

use std::collections::BTreeMap;

use futures_util::stream::BoxStream;
use names::{EndpointId, EndpointName, MappingId, ModelName, Provider, SecretId};

pub use callers::{Callers, PublishedCaller, PublishedKey, PublishedPepper};

use crate::{AuthConfig, FallbackConfig, Linkage, RoutingStrategy, StoreError};

/// A point in the history of the state. A new epoch means a restored database: revisions of another epoch say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Drawn at random when a database is made or restored.
    pub epoch: u64,
    /// Counts administrative transactions, from 1.
    pub revision: u64,
}

/// What a watcher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An edge: watches the catalog.
    Edge,
    /// A forwarder: watches the vault for its provider.
    Forwarder,
    /// An edge again: watches who may call. A watcher of its own, so that a change of a key waits for who checks keys.
    Callers,
}

/// One process that watches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Watcher {
    /// What it is.
    pub role: Role,
    /// Its name among replicas, e.g. `edge-1` or `forwarder-gemini-7f3a`; at most 128 characters. Unique within its role,
    /// also among forwarders of different providers, and the same after a restart: how it is found again.
    pub replica: String,
}

impl std::fmt::Display for Watcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.replica)
    }
}

/// Something that is pushed, by its key.
pub trait Keyed: Send + Sync + 'static {
    /// Its key, unique among its kind for all time.
    fn key(&self) -> &str;
    /// What a request looks it up by, unique at any one time.
    fn name(&self) -> &str {
        self.key()
    }
}

/// A target of an endpoint, as edges see it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PublishedTarget {
    /// What a forwarder is told.
    pub mapping: MappingId,
    /// Whose forwarder takes it.
    pub provider: Provider,
    /// The provider's own name of the model.
    pub model: ModelName,
    /// Its part.
    pub linkage: Linkage,
    /// Its share among primaries.
    pub weight: f64,
    /// Which secret it uses, and its version: what was known of the target with another one no longer holds. A snapshot of
    /// before has none.
    #[serde(default)]
    pub secret: Option<(SecretId, u64)>,
}

/// An endpoint, as edges see it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PublishedEndpoint {
    /// Identifier, the key.
    pub id: EndpointId,
    /// What callers use.
    pub name: EndpointName,
    /// Targets whose secret exists: primaries in order of creation, then fallbacks in their order.
    pub targets: Vec<PublishedTarget>,
    /// How many further targets it has whose secret was deleted. None in what a store of before published.
    #[serde(default)]
    pub without_secret: Option<u32>,
    /// How primaries share traffic.
    pub routing_strategy: Option<RoutingStrategy>,
    /// How it falls back.
    pub fallback_config: Option<FallbackConfig>,
    /// Its tags, by which scopes of client keys may name it. A snapshot of before has none.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Creation time, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// The revision of its last change.
    pub revision: u64,
}

impl Keyed for PublishedEndpoint {
    fn key(&self) -> &str {
        self.id.as_str()
    }
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

/// A target, as its provider's forwarders see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SealedTarget {
    /// The mapping, the key.
    pub mapping: MappingId,
    /// The endpoint it belongs to.
    pub endpoint: EndpointName,
    /// Whose API it speaks.
    pub provider: Provider,
    /// The provider's own name of the model.
    pub model: ModelName,
    /// The secret's id.
    pub secret_id: SecretId,
    /// The secret's version.
    pub secret_version: u64,
    /// The secret's public settings.
    pub auth_config: AuthConfig,
    /// The secret's value and allowed hosts, sealed to the watcher's public key (`seal::handover`).
    pub sealed: Vec<u8>,
}

impl Keyed for SealedTarget {
    fn key(&self) -> &str {
        self.mapping.as_str()
    }
}

/// One step of a watch. A snapshot comes in parts, so that no message need hold the whole state.
#[derive(Debug, Clone, PartialEq)]
pub enum Update<T> {
    /// What was held is void; parts follow, then `SnapshotEnd`.
    SnapshotBegin,
    /// A part of a snapshot.
    SnapshotPart(Vec<T>),
    /// The snapshot is complete as of this position.
    SnapshotEnd(Position),
    /// Changes up to this position.
    Delta {
        /// The position after the changes.
        position: Position,
        /// New or changed.
        upserts: Vec<T>,
        /// Keys that are gone.
        removed: Vec<String>,
    },
    /// Nothing changed; position and number of items held, so that a watcher can tell that it drifted.
    Heartbeat {
        /// Where the store is.
        position: Position,
        /// How many items the watcher should hold.
        items: u64,
    },
}

/// A running watch. Ends with an error when the store goes away; the watcher keeps what it holds and subscribes again.
pub type Updates<T> = BoxStream<'static, Result<Update<T>, StoreError>>;

/// The published state without secrets.
#[async_trait::async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// Everything that happened since `from`, as deltas, or a snapshot where that is too far back or another epoch.
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedEndpoint>, StoreError>;
    /// The watcher serves the state of `position` now.
    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError>;
    /// What ended the last watch or kept it from beginning, in the words of what carries it: for the log. None where
    /// nothing carries it, or where the store itself said why.
    fn trouble(&self) -> Option<String> {
        None
    }
}

/// The targets of the providers that a forwarder speaks to, secrets sealed.
#[async_trait::async_trait]
pub trait Vault: Send + Sync + 'static {
    /// As [`Catalog::watch`]; every secret is sealed to `public_key` (HPKE, X25519, 32 bytes).
    async fn watch(
        &self,
        watcher: Watcher,
        providers: Vec<Provider>,
        public_key: Vec<u8>,
        from: Option<Position>,
    ) -> Result<Updates<SealedTarget>, StoreError>;
    /// The watcher serves the state of `position` now.
    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError>;
    /// As [`Catalog::trouble`].
    fn trouble(&self) -> Option<String> {
        None
    }
}
