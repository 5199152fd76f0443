//! One administrative transaction: its revision, its change-log rows and its audit row go with it or not at all.

use std::collections::BTreeSet;

use super::Inner;
use crate::{
    Caller, StoreError,
    tables::{AuditRow, ChangeKind, ChangeRow, MappingRow, Meta, Write, convert},
};

/// A transaction that was begun. Dropped before [`Change::commit`]: nothing happened.
pub(crate) struct Change<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) rows: Box<dyn Write>,
    /// The time of everything in it, milliseconds since the Unix epoch.
    pub(crate) now: i64,
    caller: &'a Caller,
    meta: Meta,
    endpoints: BTreeSet<String>,
    targets: BTreeSet<(String, String)>,
    callers: BTreeSet<String>,
}

impl Inner {
    pub(crate) async fn change<'a>(&'a self, caller: &'a Caller) -> Result<Change<'a>, StoreError> {
        let mut rows = self.tables.write(&self.settings.workspace).await?;
        let mut meta = rows.meta().await?;
        meta.revision += 1;
        let now = self.clock.now_ms();
        let (endpoints, targets, callers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Ok(Change { inner: self, rows, now, caller, meta, endpoints, targets, callers })
    }
}

impl Change<'_> {
    /// Who asked, as rows show it.
    pub(crate) fn actor(&self) -> Option<String> {
        self.caller.actor.as_ref().map(ToString::to_string)
    }

    /// Edges see this endpoint differently now.
    pub(crate) fn touch_endpoint(&mut self, id: &str) {
        self.endpoints.insert(id.to_owned());
    }

    /// This provider's forwarders see this target differently now.
    pub(crate) fn touch_target(&mut self, mapping: &MappingRow, provider: &str) {
        self.targets.insert((provider.to_owned(), mapping.id.clone()));
    }

    /// Both do.
    pub(crate) fn touch(&mut self, mapping: &MappingRow, provider: &str) {
        self.touch_endpoint(&mapping.endpoint_id);
        self.touch_target(mapping, provider);
    }

    /// Edges see this client key differently now.
    pub(crate) fn touch_caller(&mut self, key_id: &str) {
        self.callers.insert(key_id.to_owned());
    }

    /// Writes what every transaction writes, and commits. Returns the revision.
    pub(crate) async fn commit(
        mut self,
        action: &str,
        object: &str,
        detail: serde_json::Value,
    ) -> Result<u64, StoreError> {
        self.log_changes().await?;
        self.retain().await?;
        self.rows.put_meta(self.meta).await?;
        let row = AuditRow {
            seq: 0,
            at: self.now,
            actor: self.actor(),
            actor_kind: "admin".to_owned(),
            action: action.to_owned(),
            object: object.to_owned(),
            object_version: None,
            outcome: "ok".to_owned(),
            request_id: self.caller.request_id.to_string(),
            revision: self.meta.revision,
            source: None,
            detail: detail.to_string(),
            prev: Vec::new(),
            mac: Vec::new(),
        };
        self.inner.append_audit(self.rows.as_mut(), row).await?;
        let revision = convert::revision(self.meta.revision)?;
        self.rows.commit().await?;
        tracing::info!(audit.action = action, audit.object = object, revision, "changed");
        Ok(revision)
    }

    async fn log_changes(&mut self) -> Result<(), StoreError> {
        let revision = self.meta.revision;
        for key in std::mem::take(&mut self.endpoints) {
            if let Some(mut row) = self.rows.endpoint(&key).await? {
                row.revision = revision;
                self.rows.put_endpoint(&row).await?;
            }
            let row = ChangeRow { revision, kind: ChangeKind::Catalog, key, provider: String::new() };
            self.rows.append_change(&row).await?;
        }
        for (provider, key) in std::mem::take(&mut self.targets) {
            let row = ChangeRow { revision, kind: ChangeKind::Vault, key, provider };
            self.rows.append_change(&row).await?;
        }
        for key in std::mem::take(&mut self.callers) {
            let row = ChangeRow { revision, kind: ChangeKind::Callers, key, provider: String::new() };
            self.rows.append_change(&row).await?;
        }
        Ok(())
    }

    /// Every tenth of the retained length, forgets what is older than it.
    async fn retain(&mut self) -> Result<(), StoreError> {
        let retained = convert::to_column(self.inner.settings.retained);
        let floor = self.meta.revision - retained;
        if floor - self.meta.change_floor > retained / 10 {
            self.meta.change_floor = floor;
            self.rows.put_meta(self.meta).await?;
            self.rows.trim_changes().await?;
            // Watchers are forgotten at the same pace: a day without a word.
            self.rows.trim_watchers(self.now - 86_400_000).await?;
        }
        Ok(())
    }
}
