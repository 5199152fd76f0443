//! What is kept of a key: its id, its MAC, and when it counts.

use crate::{Key, KeyId, Mac, Pepper, PepperId};

/// One key as it is stored and pushed to edges. Times are milliseconds since the Unix epoch.
///
/// A rotation is a second record: the new key has an id and a MAC of its own, and the old one [retires](Self::retire) at the
/// end of the overlap. Whose they both are (owner, note, scope, roles) is for the type that holds the record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The public part of the key.
    pub key_id: KeyId,
    /// The MAC of the whole key.
    pub mac: Mac,
    /// The pepper of that MAC.
    pub pepper: PepperId,
    /// It counts from then on.
    pub not_before_ms: Option<i64>,
    /// It counts until just before then.
    pub expires_at_ms: Option<i64>,
    /// It was replaced, and counts until just before then.
    pub retires_at_ms: Option<i64>,
    /// It was revoked: then it counts no more, whatever this time and the clock here say.
    pub revoked_at_ms: Option<i64>,
}

/// Where a record stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It counts.
    Live,
    /// It counts, and has been replaced.
    Retiring,
    /// It does not count yet.
    NotYet,
    /// Its time is over.
    Expired,
    /// It was replaced, and the overlap is over.
    Retired,
    /// It was revoked.
    Revoked,
}

impl Record {
    /// The record of a key, which counts at once and without end.
    pub fn of(key: &Key, pepper: &Pepper) -> Self {
        Self {
            key_id: key.key_id(),
            mac: pepper.mac(key),
            pepper: pepper.id(),
            not_before_ms: None,
            expires_at_ms: None,
            retires_at_ms: None,
            revoked_at_ms: None,
        }
    }

    /// Where it stands at `now_ms`; the reason that can be undone least comes first.
    pub fn standing(&self, now_ms: i64) -> Standing {
        let over = |end: Option<i64>| end.is_some_and(|end| now_ms >= end);
        if self.revoked_at_ms.is_some() {
            Standing::Revoked
        } else if over(self.expires_at_ms) {
            Standing::Expired
        } else if over(self.retires_at_ms) {
            Standing::Retired
        } else if self.not_before_ms.is_some_and(|begin| now_ms < begin) {
            Standing::NotYet
        } else if self.retires_at_ms.is_some() {
            Standing::Retiring
        } else {
            Standing::Live
        }
    }

    /// It was replaced at `now_ms` and counts for `overlap_ms` more; 0 or less ends it now. Never lengthens its life.
    pub fn retire(&mut self, now_ms: i64, overlap_ms: i64) {
        let end = now_ms.saturating_add(overlap_ms.max(0));
        self.retires_at_ms = Some(self.retires_at_ms.map_or(end, |earlier| earlier.min(end)));
    }

    /// It is revoked at `now_ms`; the first revocation is the one that is kept.
    pub fn revoke(&mut self, now_ms: i64) {
        self.revoked_at_ms.get_or_insert(now_ms);
    }
}

impl Standing {
    /// Whether a key that stands so is accepted.
    pub fn counts(self) -> bool {
        matches!(self, Self::Live | Self::Retiring)
    }
}

impl AsRef<Record> for Record {
    fn as_ref(&self) -> &Record {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::of(
            &Key::mint(crate::Kind::Client, 1, &[7; 32]),
            &Pepper::derive(PepperId(1), &(0..32).collect::<Vec<u8>>(), crate::Kind::Client).unwrap(),
        )
    }

    #[test]
    fn borders_of_time_belong_to_what_follows() {
        let record = Record { not_before_ms: Some(10), expires_at_ms: Some(20), ..record() };
        let standings = [9, 10, 19, 20].map(|now| record.standing(now));
        assert_eq!(standings, [Standing::NotYet, Standing::Live, Standing::Live, Standing::Expired]);
    }

    #[test]
    fn a_replaced_key_counts_through_the_overlap_and_no_longer() {
        let mut old = record();
        old.retire(100, 50);
        assert_eq!([149, 150].map(|now| old.standing(now)), [Standing::Retiring, Standing::Retired]);
        // Neither a later rotation nor an absurd overlap gives it more time.
        old.retire(120, i64::MAX);
        assert_eq!(old.retires_at_ms, Some(150));
        old.retire(120, -5);
        assert_eq!(old.standing(120), Standing::Retired);
    }

    #[test]
    fn revoked_is_revoked_also_where_the_clock_is_behind() {
        let mut record = record();
        record.revoke(1_000);
        record.revoke(2_000);
        assert_eq!((record.standing(999), record.revoked_at_ms), (Standing::Revoked, Some(1_000)));
        record.expires_at_ms = Some(5);
        assert_eq!(record.standing(10), Standing::Revoked);
    }
}
