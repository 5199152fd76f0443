//! Sealing a secret to one forwarder's key: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! AES-256-GCM.
//!
//! A blob is `u8 format (1) ‖ encapsulated key (32) ‖ ciphertext ‖ tag`. Only the private key that belongs to the public
//! key opens it, and only for the very target it was sealed for. It may travel and lie anywhere; the private key lies
//! in a 0600 file apart from the snapshot.

use std::{convert::Infallible, path::Path};

use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256, rand_core,
};
use zeroize::Zeroizing;

use crate::{
    KeyFileError, Payload, SealError,
    aead::{Bound, KEY_LEN, Random, System},
    file,
};

type Kem = X25519HkdfSha256;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type Encapsulated = <Kem as hpke::Kem>::EncappedKey;

/// The one format there is.
const FORMAT: u8 = 1;
/// What the file of a private key begins with.
const MARK: &str = "keyward-forwarder-key-v1";

/// What a handed-over secret is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info<'a> {
    /// Whose forwarder it is for.
    pub provider: &'a str,
    /// The target it is for.
    pub mapping: &'a str,
    /// The secret's identifier.
    pub secret_id: &'a str,
    /// The secret's version.
    pub secret_version: u64,
    /// The replica that subscribed.
    pub replica: &'a str,
}

impl Info<'_> {
    fn bound(&self) -> Vec<u8> {
        Bound::new("keyward.handover.v1")
            .text(self.provider)
            .text(self.mapping)
            .text(self.secret_id)
            .number(self.secret_version)
            .text(self.replica)
            .into_bytes()
    }
}

/// Seals `payload` to the forwarder that has the private key of `public_key` (X25519, 32 bytes).
pub fn seal_to(public_key: &[u8], info: &Info<'_>, payload: &Payload) -> Result<Vec<u8>, SealError> {
    seal_with(public_key, info, payload, System)
}

fn seal_with(
    public_key: &[u8],
    info: &Info<'_>,
    payload: &Payload,
    random: impl Random,
) -> Result<Vec<u8>, SealError> {
    let public_key = PublicKey::from_bytes(public_key).map_err(|_| SealError::BadPublicKey)?;
    let plaintext = payload.encode()?;
    let mut generator = Generator { random, failed: None };
    let sealed = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public_key,
        &info.bound(),
        &plaintext,
        b"",
        &mut generator,
    );
    if let Some(error) = generator.failed {
        return Err(error);
    }
    // A key of low order is the one input that encapsulation refuses (RFC 9180, section 7.1.4).
    let (encapsulated, ciphertext) = sealed.map_err(|_| SealError::BadPublicKey)?;
    Ok([&[FORMAT], encapsulated.to_bytes().as_slice(), &ciphertext].concat())
}

/// A forwarder's key pair. No `Display`, no `Clone`; `Debug` shows nothing of the private key.
pub struct KeyPair {
    private: Zeroizing<[u8; KEY_LEN]>,
    public: [u8; KEY_LEN],
}

impl KeyPair {
    /// A pair of random bytes.
    pub fn generate() -> Result<Self, SealError> {
        let mut private = Zeroizing::new([0; KEY_LEN]);
        System.fill(private.as_mut())?;
        Self::from_bytes(&private)
    }

    /// The pair of this private key (X25519, 32 bytes).
    pub fn from_bytes(private: &[u8; KEY_LEN]) -> Result<Self, SealError> {
        let key = PrivateKey::from_bytes(private).map_err(|_| SealError::Malformed("private key"))?;
        let public = Kem::sk_to_pk(&key).to_bytes().into();
        Ok(Self { private: Zeroizing::new(*private), public })
    }

    /// Reads the pair from a file of mode 0600 or 0400.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let refused = |said| KeyFileError::NotAKey { path: path.to_owned(), said };
        let content = file::read(path)?;
        let key = content.strip_prefix(MARK.as_bytes()).and_then(file::decode);
        let key = key.ok_or_else(|| refused("not of the form `keyward-forwarder-key-v1 <base64>`"))?;
        Self::from_bytes(&key).map_err(|_| refused("not a private key"))
    }

    /// Writes the pair to a new file of mode 0600. Never overwrites.
    pub fn to_file(&self, path: &Path) -> Result<(), KeyFileError> {
        let line = Zeroizing::new(format!("{MARK} {}\n", file::encode(&self.private).as_str()));
        file::create(path, line.as_bytes())
    }

    /// Reads the pair from a file, or makes one and writes it there where the file is missing.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Missing(_)) => {
                let pair = Self::generate().map_err(|_| KeyFileError::NoRandomness)?;
                pair.to_file(path)?;
                Ok(pair)
            }
            other => other,
        }
    }

    /// The public key, to be shown when subscribing.
    pub fn public_key(&self) -> &[u8; KEY_LEN] {
        &self.public
    }

    /// Opens what was sealed to this pair for the very same target.
    pub fn open(&self, info: &Info<'_>, blob: &[u8]) -> Result<Payload, SealError> {
        let (&format, rest) = blob.split_first().ok_or(SealError::Malformed("empty"))?;
        if format != FORMAT {
            return Err(SealError::UnknownFormat(u32::from(format)));
        }
        let (encapsulated, ciphertext) =
            rest.split_first_chunk::<KEY_LEN>().ok_or(SealError::Malformed("shorter than its key"))?;
        let encapsulated =
            Encapsulated::from_bytes(encapsulated).map_err(|_| SealError::Malformed("encapsulated key"))?;
        let private =
            PrivateKey::from_bytes(self.private.as_ref()).map_err(|_| SealError::Malformed("private key"))?;
        let plaintext = hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            &info.bound(),
            ciphertext,
            b"",
        );
        Payload::decode(&Zeroizing::new(plaintext.map_err(|_| SealError::NotAuthentic)?))
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

/// Lends our source of randomness to `hpke`, whose interface cannot fail: a failure is kept and asked for afterwards.
struct Generator<R> {
    random: R,
    failed: Option<SealError>,
}

impl<R: Random> rand_core::TryRng for Generator<R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        if let Err(error) = self.random.fill(buffer) {
            self.failed = Some(error);
        }
        Ok(())
    }
}

impl<R: Random> rand_core::TryCryptoRng for Generator<R> {}

#[cfg(test)]
mod tests;
