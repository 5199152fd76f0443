//! Peppers, and the MAC of a key under one: all that is stored of a key.
//!
//! A key has 256 random bits, so a fast MAC suffices: there is nothing to guess. A MAC and not a bare hash, so that whoever
//! writes to the database cannot put in a key of their own.

use aws_lc_rs::{constant_time, hmac};

use crate::{
    Key, MaterialError,
    derive::{self, KEY_LEN},
};

/// Which pepper a MAC was made with; public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct PepperId(pub u32);

/// 256 bits that every MAC of a key needs, and that do not lie in the database in the clear. `Debug` shows its id only.
#[derive(Clone)]
pub struct Pepper {
    id: PepperId,
    // The library's state of the keyed hash, wiped by it when dropped; the bytes themselves are not kept.
    key: hmac::Key,
}

impl Pepper {
    /// The pepper of these bytes.
    pub fn new(id: PepperId, bytes: &[u8; KEY_LEN]) -> Result<Self, MaterialError> {
        derive::sound(bytes)?;
        Ok(Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, bytes) })
    }

    /// The pepper of this id that belongs to `material` (at least 32 bytes), for one kind of key.
    pub fn derive(id: PepperId, material: &[u8], kind: crate::Kind) -> Result<Self, MaterialError> {
        let label = match kind {
            crate::Kind::Client => "pepper of client keys",
            crate::Kind::Admin => "pepper of admin tokens",
        };
        Ok(Self { id, key: derive::mac_key(material, label, &id.0.to_be_bytes())? })
    }

    /// Which it is.
    pub fn id(&self) -> PepperId {
        self.id
    }

    /// HMAC-SHA-256 over the whole text of the key.
    pub fn mac(&self, key: &Key) -> Mac {
        self.mac_of(key.expose().as_bytes())
    }

    pub(crate) fn mac_of(&self, text: &[u8]) -> Mac {
        #[cfg(test)]
        crate::verifier::work::count_mac();
        Mac::of(&self.key, text)
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A MAC of 32 bytes. Compared in constant time, and only so; `Debug` masks.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Mac([u8; Self::LEN]);

impl Mac {
    /// Its length in bytes.
    pub const LEN: usize = 32;
    /// Nobody's: what unknown ids are compared with, and what stands before the first row of a chain.
    pub const ZERO: Self = Self([0; Self::LEN]);

    /// As it was stored; none if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// To store it.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn of(key: &hmac::Key, text: &[u8]) -> Self {
        let mut mac = Self::ZERO;
        mac.0.copy_from_slice(hmac::sign(key, text).as_ref());
        mac
    }
}

impl PartialEq for Mac {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Mac {}

impl TryFrom<Vec<u8>> for Mac {
    type Error = MaterialError;
    fn try_from(bytes: Vec<u8>) -> Result<Self, MaterialError> {
        Self::from_bytes(&bytes).ok_or(MaterialError::TooShort)
    }
}

impl From<Mac> for Vec<u8> {
    fn from(mac: Mac) -> Self {
        mac.0.to_vec()
    }
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Mac(…)")
    }
}
