//! The audit log, to and from its messages.

use proto::store::v1;
use store::{AuditEntry, AuditFault, AuditVerdict};

use super::{Malformed, Wire, optional};

impl Wire for AuditEntry {
    type Message = v1::AuditEntry;

    fn to_wire(self) -> v1::AuditEntry {
        v1::AuditEntry {
            seq: self.seq,
            at: self.at,
            actor: self.actor,
            actor_kind: self.actor_kind,
            action: self.action,
            object: self.object,
            outcome: self.outcome,
            request_id: self.request_id,
            revision: self.revision,
            detail: self.detail,
        }
    }

    fn from_wire(message: v1::AuditEntry) -> Result<Self, Malformed> {
        Ok(Self {
            seq: message.seq,
            at: message.at,
            actor: message.actor,
            actor_kind: message.actor_kind,
            action: message.action,
            object: message.object,
            outcome: message.outcome,
            request_id: message.request_id,
            revision: message.revision,
            detail: message.detail,
        })
    }
}

impl Wire for AuditFault {
    type Message = v1::AuditFault;

    fn to_wire(self) -> v1::AuditFault {
        v1::AuditFault { seq: self.seq, why: self.why }
    }

    fn from_wire(message: v1::AuditFault) -> Result<Self, Malformed> {
        Ok(Self { seq: message.seq, why: message.why })
    }
}

impl Wire for AuditVerdict {
    type Message = v1::VerifyAuditResponse;

    fn to_wire(self) -> v1::VerifyAuditResponse {
        v1::VerifyAuditResponse { seq: self.seq, mac: self.mac, first_bad: self.first_bad.map(Wire::to_wire) }
    }

    fn from_wire(message: v1::VerifyAuditResponse) -> Result<Self, Malformed> {
        Ok(Self { seq: message.seq, mac: message.mac, first_bad: optional(message.first_bad)? })
    }
}
