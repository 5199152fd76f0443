//! The part of a key that is not secret: what look-ups, lists and logs go by.

use crate::base62;

/// Eight digits of base 62. Public: it stands in rows, lists and logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; Self::DIGITS]);

impl KeyId {
    /// Digits of an id.
    pub const DIGITS: usize = 8;
    /// What a malformed key is looked up by, so that it costs a look-up too.
    pub(crate) const NOBODY: Self = Self([b'0'; Self::DIGITS]);

    /// The id of random bits, of which 47 count.
    pub fn from_random(bits: u64) -> Self {
        let mut digits = [0; Self::DIGITS];
        base62::encode(&mut bits.to_be_bytes(), &mut digits);
        Self(digits)
    }

    /// Takes an id only in its exact form.
    pub fn parse(text: &str) -> Result<Self, NotAKeyId> {
        Self::from_bytes(text.as_bytes()).ok_or(NotAKeyId)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let digits: [u8; Self::DIGITS] = bytes.try_into().ok()?;
        digits.iter().fold(true, |all, byte| all & base62::is_digit(*byte)).then_some(Self(digits))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        // Digits are ASCII, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl TryFrom<String> for KeyId {
    type Error = NotAKeyId;
    fn try_from(text: String) -> Result<Self, NotAKeyId> {
        Self::parse(&text)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.as_str().to_owned()
    }
}

/// Not an id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 8 letters or digits")]
pub struct NotAKeyId;
