//! `keyward.store.v1.AuditLog` over [`store::AuditLog`].

use std::sync::Arc;

use proto::store::v1;
use store::Admin;
use tonic::{Request, Response};

use super::admin::Answer;
use crate::{
    convert::{Wire, to_wire_all},
    failure::to_status,
};

/// The service.
pub(crate) struct Service(pub(crate) Arc<dyn Admin>);

#[tonic::async_trait]
impl v1::audit_log_server::AuditLog for Service {
    async fn list(&self, request: Request<v1::ListAuditRequest>) -> Answer<v1::ListAuditResponse> {
        let request = request.into_inner();
        let entries = self.0.audit(request.since, request.limit).await.map_err(to_status)?;
        Ok(Response::new(v1::ListAuditResponse { entries: to_wire_all(entries) }))
    }

    async fn verify(&self, _: Request<v1::VerifyAuditRequest>) -> Answer<v1::VerifyAuditResponse> {
        Ok(Response::new(self.0.verify_audit().await.map_err(to_status)?.to_wire()))
    }
}
