//! Key-check values: a blob that lies beside the rows and opens under the right key only, so that a wrong key is a
//! clear refusal at start and not a surprise at the first secret.

use crate::{
    Kek, SealError,
    aead::{self, Bound, Random, System},
};

const TEXT: &[u8] = b"keyward key-check value";

/// A key-check value for this key.
pub fn make(kek: &Kek) -> Result<Vec<u8>, SealError> {
    make_with(kek, &mut System)
}

/// Whether this key, under this id, made the value.
pub fn opens(kek: &Kek, value: &[u8]) -> bool {
    aead::open(kek.key(), &bound(kek), value).is_ok_and(|text| text.as_slice() == TEXT)
}

fn make_with(kek: &Kek, random: &mut impl Random) -> Result<Vec<u8>, SealError> {
    aead::seal(kek.key(), &bound(kek), TEXT, random)
}

fn bound(kek: &Kek) -> Vec<u8> {
    Bound::new("keyward.check.v1").text(kek.id().as_str()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KekId, aead::tests::Counting};

    fn kek(id: &str, first: u8) -> Kek {
        let bytes: Vec<u8> = (first..first + 32).collect();
        Kek::from_bytes(KekId::parse(id).unwrap(), &bytes).unwrap()
    }

    #[test]
    fn opens_under_its_own_key_only() {
        let value = make(&kek("k1", 0)).unwrap();
        assert!(opens(&kek("k1", 0), &value));
        assert!(!opens(&kek("k1", 1), &value), "another key of the same id");
        assert!(!opens(&kek("k2", 0), &value), "the same key under another id");
        for index in 0..value.len() {
            let mut changed = value.clone();
            changed[index] ^= 1;
            assert!(!opens(&kek("k1", 0), &changed), "{index}");
        }
    }

    #[test]
    fn format_1_is_pinned() {
        let value = make_with(&kek("k1", 0), &mut Counting(100)).unwrap();
        assert_eq!(hex::encode(value), include_str!("../vectors/check-1").trim());
    }
}
