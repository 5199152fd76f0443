//! Why something does not seal or open, and why a key file cannot be used. No value is ever part of an error.

use std::path::PathBuf;

use crate::KekId;

/// Why a secret was not sealed or does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key-encryption key that sealed it is not in the keyring.
    #[error("key `{0}` is not in the keyring")]
    UnknownKey(KekId),
    /// It was changed, or lies in another cell than it was sealed for, or another key sealed it.
    #[error("the sealed secret does not open here: it was changed, moved, or sealed with another key")]
    NotAuthentic,
    /// It opened, but what is in it is not a payload; or a part has a length that no part can have.
    #[error("the sealed secret is malformed: {0}")]
    Malformed(&'static str),
    /// It was sealed in a format that this version does not know.
    #[error("the sealed secret has format {0}, which this version does not know")]
    UnknownFormat(u32),
    /// More than a payload may hold.
    #[error("a secret may hold at most {max} bytes")]
    TooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// Not a public key of X25519.
    #[error("not a usable public key")]
    BadPublicKey,
    /// The operating system gave no random bytes.
    #[error("no random bytes to be had")]
    NoRandomness,
}

/// Why a key file or a keyring folder cannot be used, for the operator: names the path, never its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("key file `{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// There is one already; it is never overwritten.
    #[error("`{}` exists already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// Others than its owner may read or write it.
    #[error("key file `{}` has mode {mode:04o}; only 0600 and 0400 are accepted", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system refused.
    #[error("cannot read or write `{}`", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The content is not a key.
    #[error("`{}` does not hold a key: {said}", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        said: &'static str,
    },
    /// The folder has no key, or does not say which of several is the active one.
    #[error("keyring folder `{}` cannot be used: {said}", .path.display())]
    Keyring {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        said: &'static str,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes to be had")]
    NoRandomness,
}
