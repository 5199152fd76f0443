//! Seals and opens a payload under a fresh data key, itself wrapped by a key-encryption key.

use zeroize::Zeroizing;

use crate::{
    Cell, Kek, KekId, Keyring, Payload, SealError,
    aead::{self, KEY_LEN, Random, System},
};

/// A sealed secret: what lies in its row. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The format of the other parts: [`Envelope::FORMAT`].
    pub format: u32,
    /// The key-encryption key that wrapped the data key.
    pub kek_id: KekId,
    /// The data key, wrapped: 60 bytes.
    pub wrapped_dek: Vec<u8>,
    /// The payload, sealed under the data key.
    pub sealed: Vec<u8>,
}

impl Envelope {
    /// The one format there is: `keyward.secret.v1` with `keyward.dek.v1`.
    pub const FORMAT: u32 = 1;
}

impl Keyring {
    /// Seals `payload` for `cell` under a fresh data key and the active key-encryption key.
    pub fn seal(&self, cell: &Cell<'_>, payload: &Payload) -> Result<Envelope, SealError> {
        seal_with(self.active(), cell, payload, &mut System)
    }

    /// Opens what was sealed for the very same cell, with whichever key of this keyring wrapped it.
    pub fn open(&self, cell: &Cell<'_>, envelope: &Envelope) -> Result<Payload, SealError> {
        let dek = self.unwrap(cell, envelope)?;
        let payload = Payload::decode(&aead::open(&dek, &cell.bound(), &envelope.sealed)?)?;
        // The sealed list is what counts for a forwarder; the row's must be the same in any order.
        let sorted = |hosts: &[String]| {
            let mut hosts = hosts.to_vec();
            hosts.sort_unstable();
            hosts
        };
        if sorted(&payload.allowed_hosts) == sorted(cell.allowed_hosts) {
            Ok(payload)
        } else {
            Err(SealError::NotAuthentic)
        }
    }

    /// Wraps the data key with the active key where another one wrapped it; the sealed payload stays as it is.
    /// `None`: nothing to do.
    pub fn rewrap(&self, cell: &Cell<'_>, envelope: &Envelope) -> Result<Option<Envelope>, SealError> {
        if envelope.kek_id == *self.active().id() {
            return Ok(None);
        }
        let dek = self.unwrap(cell, envelope)?;
        let wrapped_dek = wrap(self.active(), cell, &dek, &mut System)?;
        let kek_id = self.active().id().clone();
        Ok(Some(Envelope { format: envelope.format, kek_id, wrapped_dek, sealed: envelope.sealed.clone() }))
    }

    fn unwrap(&self, cell: &Cell<'_>, envelope: &Envelope) -> Result<Zeroizing<[u8; KEY_LEN]>, SealError> {
        if envelope.format != Envelope::FORMAT {
            return Err(SealError::UnknownFormat(envelope.format));
        }
        let kek = self.get(&envelope.kek_id).ok_or_else(|| SealError::UnknownKey(envelope.kek_id.clone()))?;
        let dek = aead::open(kek.key(), &cell.bound_key(kek.id()), &envelope.wrapped_dek)?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        if dek.len() != KEY_LEN {
            return Err(SealError::Malformed("the data key's length"));
        }
        key.copy_from_slice(&dek);
        Ok(key)
    }
}

fn seal_with(
    kek: &Kek,
    cell: &Cell<'_>,
    payload: &Payload,
    random: &mut impl Random,
) -> Result<Envelope, SealError> {
    let mut dek = Zeroizing::new([0; KEY_LEN]);
    random.fill(dek.as_mut())?;
    let sealed = aead::seal(&dek, &cell.bound(), &payload.encode()?, random)?;
    let wrapped_dek = wrap(kek, cell, &dek, random)?;
    Ok(Envelope { format: Envelope::FORMAT, kek_id: kek.id().clone(), wrapped_dek, sealed })
}

fn wrap(
    kek: &Kek,
    cell: &Cell<'_>,
    dek: &[u8; KEY_LEN],
    random: &mut impl Random,
) -> Result<Vec<u8>, SealError> {
    aead::seal(kek.key(), &cell.bound_key(kek.id()), dek, random)
}

#[cfg(test)]
mod tests;
