//! Keys of clients and tokens of admins: one form, two prefixes.
//!
//! `kw_` or `kwa_`, 8 digits of key id, `_`, 43 digits of 256 random bits, `_`, 6 digits of the CRC-32 of all before. The
//! digits are base 62. The checksum tells typos and junk from keys without a look-up, and lets scanners find leaks.

mod form;
mod id;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

pub(crate) use form::Form;
pub use id::{KeyId, NotAKeyId};

use crate::base62;

/// Digits of the random part: the fewest that hold 256 bits.
pub(crate) const SECRET_DIGITS: usize = 43;
/// Digits of the checksum: the fewest that hold 32 bits.
pub(crate) const CHECKSUM_DIGITS: usize = 6;

/// Whose key: which plane it opens. A key of one kind is not even well-formed as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An application's, on the data plane.
    Client,
    /// An admin's token, on the management plane.
    Admin,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Client, Self::Admin];

    /// What every key of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Client => "kw_",
            Self::Admin => "kwa_",
        }
    }

    /// The length of every key of this kind, in bytes.
    pub const fn length(self) -> usize {
        self.prefix().len() + KeyId::DIGITS + 1 + SECRET_DIGITS + 1 + CHECKSUM_DIGITS
    }

    /// How lists show the key of this id: `kw_ab12cd34_…`.
    pub fn masked(self, id: KeyId) -> String {
        format!("{}{id}_…", self.prefix())
    }
}

/// A key or a token in the clear. No `Display`, no `Clone`, no `Serialize`; `Debug` masks; wiped when dropped.
pub struct Key {
    kind: Kind,
    id: KeyId,
    text: SecretString,
}

impl Key {
    /// The key of these random bits: of `id_bits` the id shows as much as fits (47 bits); `secret` is all 256.
    ///
    /// Ids are not secret and need not be unguessable. They must be unique among stored keys: mint again if one is taken.
    pub fn mint(kind: Kind, id_bits: u64, secret: &[u8; 32]) -> Self {
        let id = KeyId::from_random(id_bits);
        let mut digits = Zeroizing::new([0; SECRET_DIGITS]);
        base62::encode(Zeroizing::new(*secret).as_mut(), digits.as_mut());
        // All of its length at once: a text that grows leaves copies behind.
        let mut text = String::with_capacity(kind.length());
        text.push_str(kind.prefix());
        text.push_str(id.as_str());
        text.push('_');
        text.extend(digits.iter().copied().map(char::from));
        let checksum = checksum(text.as_bytes());
        text.push('_');
        text.extend(checksum.map(char::from));
        Self { kind, id, text: text.into() }
    }

    /// Takes a key only in its exact form. Reads the same number of bytes whatever it is given.
    pub fn parse(kind: Kind, presented: &[u8]) -> Result<Self, NotAKey> {
        let form = Form::read(kind, presented);
        // ASCII, because every part of a sound form is.
        let text = std::str::from_utf8(form.text()).map_err(|_| NotAKey)?;
        if form.is_sound() { Ok(Self { kind, id: form.id(), text: text.into() }) } else { Err(NotAKey) }
    }

    /// Whose it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The part that is not secret.
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// How it may be shown: `kw_ab12cd34_…`.
    pub fn masked(&self) -> String {
        self.kind.masked(self.id)
    }

    /// The whole key, in the clear: to hand to its owner once, and to compute its MAC. Nothing else.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.masked())
    }
}

/// Not a key of the asked kind: its prefix, length, characters or checksum are wrong. Never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key in its exact form")]
pub struct NotAKey;

/// The digits that end a key whose other parts are `front`.
fn checksum(front: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    let mut digits = [0; CHECKSUM_DIGITS];
    base62::encode(&mut base62::crc32(front).to_be_bytes(), &mut digits);
    digits
}
