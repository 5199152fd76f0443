//! Reads what was presented as a key, at the same cost whatever it is.

use zeroize::Zeroizing;

use super::{KeyId, Kind, SECRET_DIGITS, checksum};
use crate::base62;

/// The longest key, in bytes.
const LENGTH_MAX: usize = Kind::Admin.length();

/// Bytes of a key's length, and whether they are a key. Nothing of ours is compared here: it is all the caller's own.
pub(crate) struct Form {
    text: Zeroizing<[u8; LENGTH_MAX]>,
    length: usize,
    id: KeyId,
    sound: bool,
}

impl Form {
    /// Reads every byte of a key's length, also when the first is already wrong, or when there are more or fewer.
    pub(crate) fn read(kind: Kind, presented: &[u8]) -> Self {
        let length = kind.length();
        let mut text = Zeroizing::new([b'0'; LENGTH_MAX]);
        for (place, byte) in text[..length].iter_mut().zip(presented) {
            *place = *byte;
        }
        let (id, fits) = parts(kind, &text[..length]);
        let sound = fits & (presented.len() == length);
        let id = id.filter(|_| sound).unwrap_or(KeyId::NOBODY);
        Self { text, length, id, sound }
    }

    /// Whether it is a key.
    pub(crate) fn is_sound(&self) -> bool {
        self.sound
    }

    /// Its id, or nobody's if it is no key.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// As many bytes as a key has: the key, if it is one.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// The id, if it is one, and whether every part is as it must be. A list and not a chain of `&&`: no part is skipped.
fn parts(kind: Kind, text: &[u8]) -> (Option<KeyId>, bool) {
    let (prefix, rest) = text.split_at(kind.prefix().len());
    let (id, rest) = rest.split_at(KeyId::DIGITS);
    let (first_bar, rest) = rest.split_at(1);
    let (secret, rest) = rest.split_at(SECRET_DIGITS);
    let (second_bar, sum) = rest.split_at(1);
    let front = &text[..text.len() - second_bar.len() - sum.len()];
    let id = KeyId::from_bytes(id);
    let fits = [
        prefix == kind.prefix().as_bytes(),
        id.is_some(),
        first_bar == b"_",
        secret.iter().fold(true, |all, byte| all & base62::is_digit(*byte)),
        second_bar == b"_",
        sum == checksum(front),
    ];
    (id, fits.iter().fold(true, |all, part| all & part))
}
