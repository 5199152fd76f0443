//! Key material: random bytes that keys are checked with, sealed under the key-encryption key, made at the first open.
//!
//! They are sealed as secrets are, in cells whose id no secret has. They are not derived from the key-encryption key, so
//! that rotating that key changes none of them.

use access::{Kind, MaterialError, PepperId, Verifier, audit::AuditKey};
use seal::{Cell, Envelope, KekId, Keyring, Payload};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::{
    Entropy, PublishedPepper, StoreError,
    tables::{MaterialRow, Write, convert},
};

/// What MACs of client keys are made with.
const CLIENT_PEPPER: &str = "client_pepper";
/// What the chain of the audit log is made with.
const AUDIT_KEY: &str = "audit_key";
/// The field of the sealed payload.
const FIELD: &str = "material";

/// The key materials of a workspace, opened.
pub(crate) struct Materials {
    /// Checks and records client keys.
    pub(crate) clients: Verifier,
    /// What edges need for the same.
    pub(crate) client_pepper: PublishedPepper,
    /// Chains the audit log.
    pub(crate) audit_key: AuditKey,
}

impl Materials {
    /// Opens them; those that are missing are made. True: some were. The caller holds the one transaction that writes, so
    /// that of several replicas one makes them.
    pub(crate) async fn open(
        rows: &mut dyn Write,
        workspace: &str,
        keyring: &Keyring,
        entropy: &dyn Entropy,
    ) -> Result<(Self, bool), StoreError> {
        let (pepper, pepper_is_new) = take(rows, workspace, CLIENT_PEPPER, keyring, entropy).await?;
        let (audit, audit_is_new) = take(rows, workspace, AUDIT_KEY, keyring, entropy).await?;
        let id = PepperId(u32::try_from(pepper.serial).map_err(convert::Garbled::from)?);
        let client_pepper = PublishedPepper::new(id, opened(workspace, &pepper, keyring)?);
        let clients = Verifier::new(Kind::Client, client_pepper.of_clients().map_err(unusable)?);
        let material = Zeroizing::new(opened(workspace, &audit, keyring)?);
        let audit_key = AuditKey::derive(&material, workspace).map_err(unusable)?;
        Ok((Self { clients, client_pepper, audit_key }, pepper_is_new || audit_is_new))
    }
}

/// The newest material of that name; made where there is none. True: it was made.
async fn take(
    rows: &mut dyn Write,
    workspace: &str,
    name: &str,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<(MaterialRow, bool), StoreError> {
    if let Some(row) = rows.key_materials().await?.into_iter().rfind(|row| row.name == name) {
        return Ok((row, false));
    }
    let row = make(workspace, name, keyring, entropy)?;
    rows.put_key_material(&row).await?;
    Ok((row, true))
}

fn make(
    workspace: &str,
    name: &str,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<MaterialRow, StoreError> {
    let text = hex(random(entropy).as_ref());
    let payload = Payload::new([(FIELD.to_owned(), text)].into(), Vec::new());
    let id = cell_id(name);
    let envelope = keyring.seal(&cell(workspace, &id, 1), &payload)?;
    Ok(MaterialRow {
        name: name.to_owned(),
        serial: 1,
        format: i64::from(envelope.format),
        kek_id: envelope.kek_id.to_string(),
        wrapped_dek: envelope.wrapped_dek,
        sealed: envelope.sealed,
    })
}

fn opened(workspace: &str, row: &MaterialRow, keyring: &Keyring) -> Result<Vec<u8>, StoreError> {
    let envelope = Envelope {
        format: u32::try_from(row.format).map_err(convert::Garbled::from)?,
        kek_id: KekId::parse(&row.kek_id)?,
        wrapped_dek: row.wrapped_dek.clone(),
        sealed: row.sealed.clone(),
    };
    let id = cell_id(&row.name);
    let payload = keyring.open(&cell(workspace, &id, convert::revision(row.serial)?), &envelope)?;
    let text = payload.fields.get(FIELD).map(|text| bytes(text.expose_secret()));
    text.flatten().ok_or_else(|| {
        tracing::error!(material = row.name, "a key material does not hold what it should");
        StoreError::Internal
    })
}

/// No secret's id looks like this one (`s-…`).
fn cell_id(name: &str) -> String {
    format!("key-material/{name}")
}

fn cell<'a>(workspace: &'a str, id: &'a str, serial: u64) -> Cell<'a> {
    Cell { workspace, secret_id: id, name: id, provider: None, version: serial, allowed_hosts: &[] }
}

/// 256 random bits.
pub(crate) fn random(entropy: &dyn Entropy) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    bytes[..16].copy_from_slice(&entropy.bits().to_be_bytes());
    bytes[16..].copy_from_slice(&entropy.bits().to_be_bytes());
    bytes
}

fn hex(bytes: &[u8]) -> SecretString {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // All of its length at once: a text that grows leaves copies behind.
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.into()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn unusable(error: MaterialError) -> StoreError {
    tracing::error!(cause = error.to_string(), "a key material cannot be used");
    StoreError::Internal
}
