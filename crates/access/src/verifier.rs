//! Checks a presented key against records, at one cost and with one answer for every reason of refusal.

use fault::Fault;

use crate::{Key, KeyId, Kind, Mac, MaterialError, Pepper, PepperId, Record, Standing, key::Form};

/// Checks keys of one kind. Holds the peppers, nothing of any key.
#[derive(Debug, Clone)]
pub struct Verifier {
    kind: Kind,
    active: Pepper,
    older: Vec<Pepper>,
    nobody: Record,
}

impl Verifier {
    /// Checks keys of `kind`; new keys get the `active` pepper.
    pub fn new(kind: Kind, active: Pepper) -> Self {
        let nobody = Record {
            key_id: KeyId::NOBODY,
            mac: Mac::ZERO,
            pepper: active.id(),
            not_before_ms: None,
            expires_at_ms: None,
            retires_at_ms: None,
            revoked_at_ms: None,
        };
        Self { kind, active, older: Vec::new(), nobody }
    }

    /// Knows one more pepper, which keys made before a change of pepper need. An id stands for one pepper.
    pub fn with(mut self, pepper: Pepper) -> Result<Self, MaterialError> {
        if self.pepper(pepper.id()).is_some() {
            return Err(MaterialError::TakenId);
        }
        self.older.push(pepper);
        Ok(self)
    }

    /// Which keys it checks.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The record of a new key, under the active pepper.
    pub fn record(&self, key: &Key) -> Record {
        Record::of(key, &self.active)
    }

    /// Whose key this is, if it counts at `now_ms`.
    ///
    /// `lookup` is asked exactly once, also for what is no key at all; then one MAC is computed over as many bytes as a
    /// key has, and compared in constant time. What differs between refusals is only what `lookup` itself does.
    ///
    /// # Errors
    /// One answer, [`Refused`], whatever the reason.
    pub fn check<'a, R: AsRef<Record>>(
        &self,
        presented: &[u8],
        lookup: impl FnOnce(&KeyId) -> Option<&'a R>,
        now_ms: i64,
    ) -> Result<&'a R, Refused> {
        let form = Form::read(self.kind, presented);
        let found = lookup(&form.id());
        let record = found.map_or(&self.nobody, AsRef::as_ref);
        let pepper = self.pepper(record.pepper);
        let same = pepper.unwrap_or(&self.active).mac_of(form.text()) == record.mac;
        let standing = record.standing(now_ms);
        let reason = match found {
            _ if !form.is_sound() => Reason::Malformed,
            None => Reason::Unknown,
            Some(_) if pepper.is_none() => Reason::NoPepper,
            Some(_) if !same => Reason::Mismatch,
            Some(_) if standing == Standing::NotYet => Reason::NotYet,
            Some(_) if standing == Standing::Expired => Reason::Expired,
            Some(_) if standing == Standing::Retired => Reason::Retired,
            Some(_) if standing == Standing::Revoked => Reason::Revoked,
            Some(found) => return Ok(found),
        };
        Err(Refused { reason, key_id: form.is_sound().then(|| form.id()) })
    }

    fn pepper(&self, id: PepperId) -> Option<&Pepper> {
        std::iter::once(&self.active).chain(&self.older).find(|pepper| pepper.id() == id)
    }
}

/// The credential is not accepted. Everything that a caller may learn is in `Display`, and it is always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the credential is not accepted")]
pub struct Refused {
    reason: Reason,
    key_id: Option<KeyId>,
}

impl Refused {
    /// Why: for the log and the metrics, never for the caller.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Which key was tried, as it says itself: for the log. None if it was no key.
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id
    }

    /// Always the same.
    pub fn fault(&self) -> Fault {
        Fault::Unauthenticated
    }
}

/// Why a credential was not accepted: for the log and the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Not a key of this kind.
    Malformed,
    /// No record of this id.
    Unknown,
    /// The record's pepper is not here: the operator's trouble, not the caller's.
    NoPepper,
    /// There is a key of this id, and it is another one.
    Mismatch,
    /// The right key, before its time.
    NotYet,
    /// The right key, after its time.
    Expired,
    /// The right key, after it was replaced and the overlap is over.
    Retired,
    /// The right key, revoked.
    Revoked,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Malformed,
        Self::Unknown,
        Self::NoPepper,
        Self::Mismatch,
        Self::NotYet,
        Self::Expired,
        Self::Retired,
        Self::Revoked,
    ];

    /// As metrics and log lines call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::NoPepper => "no_pepper",
            Self::Mismatch => "mismatch",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// Counts work instead of time, so that "one cost" can be tested without a clock.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local!(static MACS: Cell<u32> = const { Cell::new(0) });

    pub(crate) fn count_mac() {
        MACS.set(MACS.get() + 1);
    }

    pub(crate) fn take_macs() -> u32 {
        MACS.take()
    }
}

#[cfg(test)]
mod tests;
