//! Who may call, as edges check it: keys without the keys, and the pepper that checking one needs.

use access::{Kind, MaterialError, Pepper, PepperId, Record, Scope};
use names::Label;
use zeroize::Zeroizing;

use super::Keyed;
use crate::{Position, StoreError, Updates, Watcher};

/// One item of what edges check callers with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishedCaller {
    /// The bytes that MACs of keys were made with.
    Pepper(PublishedPepper),
    /// A key, also one that counts no more: the log says why it is refused.
    Key(PublishedKey),
}

/// A pepper on its way to edges.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PublishedPepper {
    key: String,
    id: PepperId,
    material: Zeroizing<Vec<u8>>,
}

/// A client key, as edges see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PublishedKey {
    /// Its id, its MAC, and when it counts.
    pub record: Record,
    /// Whose it is.
    pub owner: Label,
    /// Which endpoints it may call.
    pub scope: Scope,
}

/// Who may call.
#[async_trait::async_trait]
pub trait Callers: Send + Sync + 'static {
    /// As [`crate::Catalog::watch`], for watchers of the role [`crate::Role::Callers`].
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedCaller>, StoreError>;
    /// The watcher serves the state of `position` now.
    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError>;
    /// As [`crate::Catalog::trouble`].
    fn trouble(&self) -> Option<String> {
        None
    }
}

// === impl PublishedCaller ===

impl PublishedCaller {
    /// The key, if it is one.
    pub fn as_key(&self) -> Option<&PublishedKey> {
        match self {
            Self::Key(key) => Some(key),
            Self::Pepper(_) => None,
        }
    }
}

impl Keyed for PublishedCaller {
    /// A key's id, or `pepper-` and its number: no id has a hyphen.
    fn key(&self) -> &str {
        match self {
            Self::Key(key) => key.record.key_id.as_str(),
            Self::Pepper(pepper) => &pepper.key,
        }
    }
}

// === impl PublishedPepper ===

impl PublishedPepper {
    /// The pepper of this id that belongs to `material`.
    pub fn new(id: PepperId, material: Vec<u8>) -> Self {
        Self { key: format!("pepper-{}", id.0), id, material: Zeroizing::new(material) }
    }

    /// Which it is.
    pub fn id(&self) -> PepperId {
        self.id
    }

    /// The bytes, to hand them on.
    pub fn expose(&self) -> &[u8] {
        &self.material
    }

    /// To check client keys with.
    pub fn of_clients(&self) -> Result<Pepper, MaterialError> {
        Pepper::derive(self.id, &self.material, Kind::Client)
    }
}

impl std::fmt::Debug for PublishedPepper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PublishedPepper").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AsRef<Record> for PublishedKey {
    fn as_ref(&self) -> &Record {
        &self.record
    }
}
