//! The audit log: Keyward's own routes, below `/api/3.0/keyward/audit`.

use axum::extract::State;
use serde::Serialize;
use store::{AuditEntry, AuditVerdict};

use super::{
    Management,
    answer::{Answer, Answered},
    fields::Fields,
    request::{Anything, Asked, Shape},
};

/// Rows where no number is given.
const LIMIT_DEFAULT: i64 = 100;

/// Which rows.
pub(super) struct Listed {
    since: i64,
    limit: i64,
}

/// A row.
#[derive(Debug, Serialize)]
struct EntryShape {
    seq: i64,
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    actor_kind: String,
    action: String,
    object: String,
    outcome: String,
    request_id: String,
    revision: i64,
    detail: String,
}

/// Several rows.
#[derive(Debug, Serialize)]
pub(super) struct Several {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entries: Vec<EntryShape>,
}

/// What came of a check.
#[derive(Debug, Serialize)]
pub(super) struct VerdictShape {
    sound: bool,
    seq: i64,
    mac: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<FaultShape>,
}

/// The first row that is not as it was written.
#[derive(Debug, Serialize)]
struct FaultShape {
    seq: i64,
    why: String,
}

pub(super) async fn list(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Listed { since, limit }, .. }: Asked<Listed>,
) -> Answered<Several> {
    let entries = admin.audit(since, limit).await?;
    Ok(Answer::read(Several { entries: entries.into_iter().map(Into::into).collect() }))
}

pub(super) async fn verify(
    State(Management { admin, .. }): State<Management>,
    Asked { .. }: Asked<Anything>,
) -> Answered<VerdictShape> {
    Ok(Answer::read(admin.verify_audit().await?.into()))
}

impl Shape for Listed {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut number = |name: &str| {
            let text = fields.text(name)?;
            let number = text.parse::<u32>().ok();
            if number.is_none() {
                fields.invalid(name, "must be a number that is not negative");
            }
            number.map(i64::from)
        };
        let (since, limit) = (number("since"), number("limit"));
        Some(Self { since: since.unwrap_or(0), limit: limit.unwrap_or(LIMIT_DEFAULT) })
    }
}

impl From<AuditEntry> for EntryShape {
    fn from(entry: AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor,
            actor_kind: entry.actor_kind,
            action: entry.action,
            object: entry.object,
            outcome: entry.outcome,
            request_id: entry.request_id,
            revision: entry.revision,
            detail: entry.detail,
        }
    }
}

impl From<AuditVerdict> for VerdictShape {
    fn from(verdict: AuditVerdict) -> Self {
        let first_bad = verdict.first_bad.map(|bad| FaultShape { seq: bad.seq, why: bad.why });
        Self { sound: first_bad.is_none(), seq: verdict.seq, mac: verdict.mac, first_bad }
    }
}
