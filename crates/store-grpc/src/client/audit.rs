//! [`AuditLog`] at a remote store.

use proto::store::v1;
use store::{AuditEntry, AuditLog, AuditVerdict, StoreError};
use tonic::async_trait;

use super::{Remote, admin::got};
use crate::convert::{Wire, all};

#[async_trait]
impl AuditLog for Remote {
    async fn audit(&self, since: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let request = self.request(v1::ListAuditRequest { since, limit });
        got(self.audit_log().list(request).await, |message| all(message.entries))
    }

    async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        let request = self.request(v1::VerifyAuditRequest {});
        got(self.audit_log().verify(request).await, AuditVerdict::from_wire)
    }
}
