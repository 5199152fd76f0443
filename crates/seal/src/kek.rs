//! Key-encryption keys and their ids.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{
    SealError,
    aead::{KEY_LEN, Random as _, System},
};

/// The id of a key-encryption key, e.g. `k202611-4f0c9a`. Public: it stands in rows and in messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KekId(String);

impl KekId {
    /// The longest id, in bytes.
    pub const MAX: usize = 64;

    /// Takes lower-case letters, digits and hyphens, beginning with a letter.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        if begins && text.len() <= Self::MAX && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SealError::Malformed("not an id of a key"))
        }
    }

    /// `k<yyyymm>-<6 hexadecimal digits>`: the month (UTC) of a time in milliseconds since the Unix epoch, and the low 24
    /// of these random bits, so that two keys of one month can be told apart.
    pub fn dated(now_ms: i64, random: u128) -> Self {
        let (year, month) = month_of(now_ms.div_euclid(86_400_000));
        Self(format!("k{year:04}{month:02}-{:06x}", random & 0xff_ffff))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KekId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Year and month of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn month_of(day: i64) -> (i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// A key-encryption key: wraps data keys, never seals a secret itself. Wiped when dropped.
pub struct Kek {
    id: KekId,
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl Kek {
    /// A key of random bytes.
    pub fn generate(id: KekId) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        System.fill(key.as_mut())?;
        Ok(Self { id, key })
    }

    /// A key of these bytes. A key of one repeated byte is a mistake, not a key.
    pub fn from_bytes(id: KekId, bytes: &[u8]) -> Result<Self, SealError> {
        let key: &[u8; KEY_LEN] = bytes.try_into().map_err(|_| SealError::Malformed("a key has 32 bytes"))?;
        if key.iter().all(|byte| *byte == key[0]) {
            return Err(SealError::Malformed("a key of one repeated byte"));
        }
        Ok(Self { id, key: Zeroizing::new(*key) })
    }

    /// A key of these bytes without a given id: the id is `h` and the first 16 hexadecimal digits of an HMAC-SHA256
    /// under the key, which says nothing about 256 random bits.
    pub fn from_bytes_named_by_hash(bytes: &[u8]) -> Result<Self, SealError> {
        use std::fmt::Write as _;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"keyward.kek-id.v1");
        let mut id = String::from("h");
        for byte in &tag.as_ref()[..8] {
            let _ = write!(id, "{byte:02x}");
        }
        Self::from_bytes(KekId(id), bytes)
    }

    /// Its id.
    pub fn id(&self) -> &KekId {
        &self.id
    }

    /// The key itself, within this crate only.
    pub(crate) fn key(&self) -> &[u8; KEY_LEN] {
        &self.key
    }
}

impl std::fmt::Debug for Kek {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kek").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert_eq!(KekId::parse("k202611-1").unwrap().as_str(), "k202611-1");
        for wrong in ["", "1k", "-k", "K1", "k 1", "k/1", "k\n", &"k".repeat(65)] {
            assert!(KekId::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn dated_ids_name_the_month() {
        for (now_ms, id) in [
            (0, "k197001-000001"),
            (-1, "k196912-000001"),
            (951_782_400_000, "k200002-000001"),   // 2000-02-29
            (1_795_478_400_000, "k202611-000001"), // 2026-11-24
            (1_798_761_599_999, "k202612-000001"), // the last of 2026
            (1_798_761_600_000, "k202701-000001"),
        ] {
            assert_eq!(KekId::dated(now_ms, 1).as_str(), id, "{now_ms}");
        }
        let random = KekId::dated(0, 0x1234_5678_9abc);
        assert_eq!(random.as_str(), "k197001-789abc");
        assert_eq!(KekId::parse(random.as_str()).unwrap(), random);
    }

    #[test]
    fn an_id_by_hash_is_stable_and_differs_by_key() {
        let bytes: Vec<u8> = (0..32).collect();
        let kek = Kek::from_bytes_named_by_hash(&bytes).unwrap();
        assert_eq!(kek.id(), Kek::from_bytes_named_by_hash(&bytes).unwrap().id());
        assert_eq!(kek.id().as_str().len(), 17);
        assert_eq!(KekId::parse(kek.id().as_str()).unwrap(), *kek.id());
        let other: Vec<u8> = (1..33).collect();
        assert_ne!(kek.id(), Kek::from_bytes_named_by_hash(&other).unwrap().id());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let id = KekId::parse("k1").unwrap();
        assert!(Kek::from_bytes(id.clone(), &[0; 32]).is_err());
        assert!(Kek::from_bytes(id.clone(), b"short").is_err());
        assert!(Kek::from_bytes(id, &[1; 33]).is_err());
    }

    #[test]
    fn debug_shows_the_id_only() {
        let kek = Kek::from_bytes(KekId::parse("k1").unwrap(), b"CANARYCANARYCANARYCANARYCANARYCA").unwrap();
        assert_eq!(format!("{kek:?}"), "Kek { id: KekId(\"k1\"), .. }");
    }
}
