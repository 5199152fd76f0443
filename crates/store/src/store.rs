//! The store itself: the rules and the sealing over any [`Tables`], and the seams that it serves.

mod admin;
mod audit;
pub(crate) mod change;
mod failure;
pub(crate) mod material;
mod open;

use std::{sync::Arc, time::Duration};

use names::Workspace;
use seal::Keyring;

use crate::{ApiBasePolicy, Clock, Entropy, Receipt, Tables, Written, hub::Hub};

pub use open::{OpenError, keys_of, renew_epoch};

/// Implements [`crate::Admin`], [`crate::Catalog`] and [`crate::Vault`]. Cheap to clone: all clones are one store.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What a store is made of.
pub struct Parts {
    /// The database, its migrations run.
    pub tables: Arc<dyn Tables>,
    /// The key-encryption keys.
    pub keyring: Keyring,
    /// Judges every `api_base`.
    pub policy: Arc<dyn ApiBasePolicy>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Random bits.
    pub entropy: Arc<dyn Entropy>,
}

/// Limits and periods of a store. Every one has a default that fits production.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The workspace that is served.
    pub workspace: Workspace,
    /// How long a change waits for live watchers to apply it before it answers without them.
    pub apply_wait_max: Duration,
    /// After how long without news a watch sends a heartbeat; watchers acknowledge those too.
    pub heartbeat: Duration,
    /// A watcher that said nothing for this long is not waited for; several heartbeats, so that one may be lost.
    pub live_within: Duration,
    /// How often a watch looks at the database although nothing woke it: wake-ups of other replicas may be lost.
    pub poll: Duration,
    /// How long an edge is kept from a new target so that forwarders have it first, and a forwarder from forgetting an
    /// old one so that edges have left it.
    pub order_wait_max: Duration,
    /// The most revisions that a watcher is told as a delta; one further behind gets a snapshot.
    pub delta_max: u64,
    /// Revisions that the change log keeps.
    pub retained: u64,
    /// Items in one part of a snapshot. At about 4 KiB an item (sealed, with a service account) a part stays within
    /// gRPC's 4 MiB.
    pub part: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workspace: Workspace::default(),
            apply_wait_max: Duration::from_secs(5),
            heartbeat: Duration::from_secs(10),
            live_within: Duration::from_secs(30),
            poll: Duration::from_secs(5),
            order_wait_max: Duration::from_secs(1),
            delta_max: 1_000,
            retained: 10_000,
            part: 64,
        }
    }
}

pub(crate) struct Inner {
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) keyring: Keyring,
    pub(crate) policy: Arc<dyn ApiBasePolicy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    pub(crate) materials: material::Materials,
    pub(crate) hub: Hub,
}

impl Store {
    /// The audit log from just above `seq` on, at most `limit` rows, by `seq`.
    pub async fn audit_since(
        &self,
        seq: i64,
        limit: i64,
    ) -> Result<Vec<crate::tables::AuditRow>, crate::StoreError> {
        Ok(self.inner.read().await?.audit_since(seq, limit).await?)
    }

    /// Ends every watch, and gives up the database.
    pub async fn close(&self) {
        self.inner.hub.close().await;
        self.inner.tables.close().await;
    }

    /// Waits, bounded, until the watchers have applied a committed change.
    async fn settled<T>(&self, (value, revision): (T, u64)) -> Written<T> {
        let not_applied = self.inner.applied(revision).await;
        Written { value, receipt: Receipt { revision, not_applied } }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Inner {
    /// A consistent snapshot of the workspace.
    pub(crate) async fn read(&self) -> Result<Box<dyn crate::tables::Read>, crate::StoreError> {
        Ok(self.tables.read(&self.settings.workspace).await?)
    }
}
