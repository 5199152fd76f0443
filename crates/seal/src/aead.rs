//! AES-256-GCM over one blob (`nonce ‖ ciphertext ‖ tag`), the source of randomness, and length-prefixed text.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::SealError;

/// Length of a key in bytes.
pub(crate) const KEY_LEN: usize = 32;
/// Length of the tag in bytes.
const TAG_LEN: usize = 16;
/// What a blob is longer than its plaintext, in bytes.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// Where nonces and data keys come from. Tests give their own, so that formats can be pinned to vectors.
pub(crate) trait Random {
    /// Fills the whole buffer with bytes that nobody can foresee.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SealError>;
}

/// The generator of aws-lc, seeded by the operating system.
pub(crate) struct System;

impl Random for System {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SealError> {
        aws_lc_rs::rand::fill(buffer).map_err(|_| SealError::NoRandomness)
    }
}

/// Seals `plaintext` under `key`, bound to `bound`, with a fresh random nonce.
pub(crate) fn seal(
    key: &[u8; KEY_LEN],
    bound: &[u8],
    plaintext: &[u8],
    random: &mut impl Random,
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce)?;
    let mut blob = Vec::with_capacity(plaintext.len() + OVERHEAD);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(plaintext);
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound),
            &mut blob[NONCE_LEN..],
        )
        .map_err(|_| SealError::Malformed("too long to seal"))?;
    blob.extend_from_slice(tag.as_ref());
    Ok(blob)
}

/// Opens a blob that [`seal`] made under the same key and the same binding.
pub(crate) fn open(key: &[u8; KEY_LEN], bound: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, sealed) =
        blob.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Malformed("shorter than its nonce"))?;
    // In place in a buffer of our own: what was opened is wiped with it, also on the way out through an error.
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut buffer)
        .map_err(|_| SealError::NotAuthentic)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

fn cipher(key: &[u8; KEY_LEN]) -> Result<LessSafeKey, SealError> {
    // `LessSafeKey` because the nonce is ours: random, stored in front of what it sealed.
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealError::Malformed("key length"))
}

/// Text to bind a seal to: every part with its length before it, so that no two lists of parts read the same.
pub(crate) struct Bound(Vec<u8>);

impl Bound {
    /// Begins with the name of the format.
    pub(crate) fn new(format: &str) -> Self {
        Self(Vec::with_capacity(256)).text(format)
    }

    /// Adds `u32_be(length) ‖ bytes`.
    pub(crate) fn bytes(mut self, part: &[u8]) -> Self {
        // Saturates only beyond 4 GiB, where nothing that is bound ever is: names have limits of hundreds of bytes.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(part);
        self
    }

    /// As [`Self::bytes`].
    pub(crate) fn text(self, part: &str) -> Self {
        self.bytes(part.as_bytes())
    }

    /// Adds `u64_be(number)`, without a length.
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// All of it.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Randomness that counts up from a byte: for vectors only.
    pub(crate) struct Counting(pub(crate) u8);

    impl Random for Counting {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SealError> {
            for byte in buffer {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn vector_of_the_gcm_specification() {
        // Test case 14 of the GCM specification (McGrew, Viega): zero key, zero nonce, one block of zeros.
        struct Zero;
        impl Random for Zero {
            fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SealError> {
                buffer.fill(0);
                Ok(())
            }
        }
        let blob = seal(&[0; 32], b"", &[0; 16], &mut Zero).unwrap();
        assert_eq!(
            hex::encode(&blob[NONCE_LEN..]),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );
    }

    #[test]
    fn parts_cannot_be_shifted_between_neighbours() {
        let ab_c = Bound::new("f").text("ab").text("c").into_bytes();
        let a_bc = Bound::new("f").text("a").text("bc").into_bytes();
        assert_ne!(ab_c, a_bc);
    }

    #[test]
    fn too_short_blobs_are_refused() {
        for length in 0..OVERHEAD {
            assert!(open(&[0; 32], b"", &vec![0; length]).is_err(), "{length}");
        }
    }
}
