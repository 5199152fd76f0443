//! What an edge states of each call that it lets in, and what a forwarder asks to be stated.

use std::sync::Arc;

use forward::ForwardError;
use proto::forward::v1::CallHead;
use tonic::Status;
use trust::{Admission, Seldom, Statement};

use crate::failure::of_call;

/// Keys and the time, by which calls are stated and checked.
#[derive(Clone)]
pub struct Admitted {
    /// The keys that both sides hold.
    pub admission: Arc<Admission>,
    /// Milliseconds since the Unix epoch.
    pub now_ms: fn() -> i64,
}

impl Admitted {
    /// States that this call was let in.
    pub(crate) fn state(&self, head: &mut CallHead) {
        head.admission = self.admission.state(&statement(head), (self.now_ms)()).into();
    }

    /// Refuses a call that no edge has let in: nothing of it reaches a target.
    pub(crate) fn check(&self, head: &CallHead, refused: &Seldom) -> Result<(), Status> {
        let checked = self.admission.check(&statement(head), &head.admission, (self.now_ms)());
        checked.map_err(|why| {
            if let Some(so_far) = refused.count() {
                let CallHead { request_id, endpoint, mapping, .. } = head;
                tracing::error!(
                    request_id,
                    endpoint,
                    mapping,
                    why,
                    so_far,
                    "a call was refused: not admitted by an edge"
                );
            }
            of_call(&ForwardError::ForwarderUnavailable)
        })
    }
}

fn statement(head: &CallHead) -> Statement<'_> {
    Statement { request_id: &head.request_id, endpoint: &head.endpoint, mapping: &head.mapping }
}
