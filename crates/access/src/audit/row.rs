//! An audit row and its one canonical form.

/// What the format's name is; a change of fields is a new name, and chains say by their rows' format which it was.
const FORMAT: &str = "keyward.audit.v1";

/// One row, without what chains it. No value of a secret is ever in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The workspace whose chain it is in.
    pub workspace: &'a str,
    /// Counted from 1, without gaps.
    pub seq: i64,
    /// When, in milliseconds since the Unix epoch. The order is `seq`'s, not this one's.
    pub at_ms: i64,
    /// Who; none if nobody was known.
    pub actor: Option<&'a str>,
    /// What kind of actor: `admin`, `forwarder`, `system`, …
    pub actor_kind: &'a str,
    /// What was done or tried, e.g. `secret.create`.
    pub action: &'a str,
    /// To which object: its id.
    pub object: &'a str,
    /// Which version of it, where objects have versions.
    pub object_version: Option<i64>,
    /// How it ended: `ok`, `refused`, …
    pub outcome: &'a str,
    /// The request that asked.
    pub request_id: &'a str,
    /// The revision of the transaction.
    pub revision: i64,
    /// Where from: an address, if there was one.
    pub source: Option<&'a str>,
    /// JSON object of what changed, byte for byte as stored.
    pub detail: &'a str,
}

/// A row as the database gave it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    /// Its fields.
    pub row: Row<'a>,
    /// Its column `prev`.
    pub prev: &'a [u8],
    /// Its column `mac`.
    pub mac: &'a [u8],
}

impl Row<'_> {
    /// All fields in order, each with its length before it; one that may be missing begins with a byte that says so.
    pub(super) fn canonical(&self) -> Vec<u8> {
        // Taken apart in full: a new field that is not encoded does not compile.
        let Self {
            workspace,
            seq,
            at_ms,
            actor,
            actor_kind,
            action,
            object,
            object_version,
            outcome,
            request_id,
            revision,
            source,
            detail,
        } = self;
        let mut out = Vec::with_capacity(192 + detail.len());
        prefixed(&mut out, FORMAT.as_bytes());
        prefixed(&mut out, workspace.as_bytes());
        prefixed(&mut out, &seq.to_be_bytes());
        prefixed(&mut out, &at_ms.to_be_bytes());
        optional(&mut out, actor.map(str::as_bytes));
        prefixed(&mut out, actor_kind.as_bytes());
        prefixed(&mut out, action.as_bytes());
        prefixed(&mut out, object.as_bytes());
        optional(&mut out, object_version.map(i64::to_be_bytes).as_ref().map(|version| &version[..]));
        prefixed(&mut out, outcome.as_bytes());
        prefixed(&mut out, request_id.as_bytes());
        prefixed(&mut out, &revision.to_be_bytes());
        optional(&mut out, source.map(str::as_bytes));
        prefixed(&mut out, detail.as_bytes());
        out
    }
}

/// Adds `u32_be(length) ‖ part`.
pub(super) fn prefixed(out: &mut Vec<u8>, part: &[u8]) {
    // Saturates only beyond 4 GiB, where no field is: rows have limits of kilobytes.
    out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(part);
}

/// Adds one zero byte for what is missing, or a one and the part, with the length of both before it.
fn optional(out: &mut Vec<u8>, part: Option<&[u8]>) {
    match part {
        None => prefixed(out, &[0]),
        Some(part) => prefixed(out, &[&[1], part].concat()),
    }
}
