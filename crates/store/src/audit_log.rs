//! What can be read of the audit log, and whether it is as it was written.

use crate::StoreError;

/// One row. No value of a secret is ever in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counted from 1, without gaps.
    pub seq: i64,
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
    /// Who; none if nobody was known.
    pub actor: Option<String>,
    /// What kind of actor: `admin`, `store`.
    pub actor_kind: String,
    /// What was done, e.g. `secret.create`.
    pub action: String,
    /// To which object: its id.
    pub object: String,
    /// How it ended.
    pub outcome: String,
    /// The request that asked.
    pub request_id: String,
    /// The revision of the transaction.
    pub revision: i64,
    /// JSON object of what changed.
    pub detail: String,
}

/// What came of looking at every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerdict {
    /// The last row that is as it was written; 0 where none is. Kept elsewhere together with `mac`, it shows later
    /// whether rows are missing at the end.
    pub seq: i64,
    /// Its MAC, in hexadecimal digits.
    pub mac: String,
    /// The first row that is not as it was written, and how it shows; none: all are.
    pub first_bad: Option<AuditFault>,
}

/// A row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    /// Its number.
    pub seq: i64,
    /// How it shows.
    pub why: String,
}

/// The audit log.
#[async_trait::async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Rows after `since`, at most `limit` (1 to 1 000), by number.
    async fn audit(&self, since: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError>;
    /// Checks the whole chain, in one snapshot of the database.
    async fn verify_audit(&self) -> Result<AuditVerdict, StoreError>;
}
