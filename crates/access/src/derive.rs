//! Keys from key material: HKDF-SHA-256, one label for each use.

use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

/// The fewest bytes of key material, and the length of what is derived.
pub(crate) const KEY_LEN: usize = 32;

/// Why key material cannot be used. Start refuses; nothing is made up in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    /// Fewer than 32 bytes.
    #[error("key material must have at least 32 bytes")]
    TooShort,
    /// One byte over and over: a placeholder, not a key.
    #[error("key material is one byte repeated, not random")]
    NotRandom,
    /// There is a pepper of this id already; an id stands for one pepper.
    #[error("two peppers of one id")]
    TakenId,
}

/// The MAC key for one use (`label`) and one bearer of it (`id`).
pub(crate) fn mac_key(material: &[u8], label: &str, id: &[u8]) -> Result<hmac::Key, MaterialError> {
    sound(material)?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let pseudo_random = hkdf::Salt::new(hkdf::HKDF_SHA256, b"keyward.access.v1").extract(material);
    // The label ends with a zero byte, which no label holds: no label and id read as another label and id.
    pseudo_random
        .expand(&[label.as_bytes(), b"\0", id], hkdf::HKDF_SHA256)
        .and_then(|derived| derived.fill(key.as_mut()))
        .map_err(|_| MaterialError::TooShort)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
}

/// Refuses what no generator of keys gives.
pub(crate) fn sound(material: &[u8]) -> Result<(), MaterialError> {
    let first = material.first().copied().unwrap_or_default();
    if material.len() < KEY_LEN {
        Err(MaterialError::TooShort)
    } else if material.iter().all(|byte| *byte == first) {
        Err(MaterialError::NotRandom)
    } else {
        Ok(())
    }
}
