//! The audit log: every row is chained to the one before it, within the transaction that holds what it tells of.

use std::fmt::Write as _;

use access::{
    Mac,
    audit::{Chain, FirstBad, Head, Row, Stored},
};

use super::Inner;
use crate::{
    AuditEntry, AuditFault, AuditVerdict, StoreError,
    tables::{self, AuditRow, Read, TablesError},
};

/// The most rows that are read at once.
const PAGE: i64 = 1_000;

impl Inner {
    /// Chains a row to the last one and appends it. There is one transaction that writes at a time, so the last row is the
    /// last one until its end.
    pub(crate) async fn append_audit(
        &self,
        rows: &mut dyn tables::Write,
        mut row: AuditRow,
    ) -> Result<(), StoreError> {
        // A last row without a sound MAC was tampered with. What is done now is written all the same, chained to zeros: a
        // check names the first row that is bad.
        let head = rows.last_audit().await?.map_or(Head::START, |last| Head {
            seq: last.seq,
            mac: Mac::from_bytes(&last.mac).unwrap_or(Mac::ZERO),
        });
        let mut chain = Chain::after(&self.materials.audit_key, head);
        row.seq = chain.next_seq();
        let (prev, mac) = chain.append(&self.canonical(&row)).map_err(|error| {
            tracing::error!(cause = error.to_string(), "an audit row cannot be chained");
            StoreError::Internal
        })?;
        row.prev = prev.as_bytes().to_vec();
        row.mac = mac.as_bytes().to_vec();
        Ok(rows.append_audit(&row).await?)
    }

    pub(crate) async fn audit(&self, since: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self.read().await?.audit_since(since.max(0), limit.clamp(1, PAGE)).await?;
        Ok(rows.into_iter().map(entry).collect())
    }

    pub(crate) async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        let mut rows = self.read().await?;
        let mut chain = Chain::after(&self.materials.audit_key, Head::START);
        let mut revision = 0;
        let first_bad = loop {
            let page = match self.page(rows.as_mut(), chain.head().seq).await? {
                Ok(page) => page,
                Err(fault) => break Some(fault),
            };
            if page.is_empty() {
                // Every revision has its row, so the last one shows whether rows were cut off behind it. Hand-overs have no
                // revision of their own: one that is cut off at the end shows only against a head that was kept elsewhere.
                let missing = rows.meta().await?.revision > revision;
                break missing.then(|| AuditFault {
                    seq: chain.next_seq(),
                    why: "it is missing: the database knows of a later change".to_owned(),
                });
            }
            revision = page.iter().map(|row| row.revision).fold(revision, i64::max);
            let bad = page.iter().find_map(|row| chain.check(&self.stored(row)).err());
            if let Some(FirstBad { seq, why }) = bad {
                break Some(AuditFault { seq, why: why.to_string() });
            }
        };
        let Head { seq, mac } = chain.head();
        let mac = mac.as_bytes().iter().fold(String::new(), |mut text, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(AuditVerdict { seq, mac, first_bad })
    }

    /// The next rows. Where one of them does not even decode, those before it one by one, and then that it does not.
    async fn page(
        &self,
        rows: &mut dyn Read,
        after: i64,
    ) -> Result<Result<Vec<AuditRow>, AuditFault>, StoreError> {
        for limit in [PAGE, 1] {
            match rows.audit_since(after, limit).await {
                Ok(page) => return Ok(Ok(page)),
                Err(TablesError::Defect(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let why = "its columns do not hold what they should".to_owned();
        Ok(Err(AuditFault { seq: after.saturating_add(1), why }))
    }

    fn canonical<'a>(&'a self, row: &'a AuditRow) -> Row<'a> {
        Row {
            workspace: self.settings.workspace.as_str(),
            seq: row.seq,
            at_ms: row.at,
            actor: row.actor.as_deref(),
            actor_kind: &row.actor_kind,
            action: &row.action,
            object: &row.object,
            object_version: row.object_version,
            outcome: &row.outcome,
            request_id: &row.request_id,
            revision: row.revision,
            source: row.source.as_deref(),
            detail: &row.detail,
        }
    }

    fn stored<'a>(&'a self, row: &'a AuditRow) -> Stored<'a> {
        Stored { row: self.canonical(row), prev: &row.prev, mac: &row.mac }
    }
}

fn entry(row: AuditRow) -> AuditEntry {
    AuditEntry {
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        actor_kind: row.actor_kind,
        action: row.action,
        object: row.object,
        outcome: row.outcome,
        request_id: row.request_id,
        revision: row.revision,
        detail: row.detail,
    }
}
