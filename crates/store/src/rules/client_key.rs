//! Client keys: minting, and what a change of one means.

use access::{Key, KeyId, Kind, Scope};
use names::Label;
use serde_json::json;

use super::invalid;
use crate::{
    Caller, ClientKey, ClientKeyChange, Expiry, MintedKey, NewClientKey, StoreError,
    store::{Inner, change::Change, material},
    tables::{ClientKeyRow, Read, convert},
};

/// The longest note, in characters.
const NOTE_MAX: usize = 1_000;
/// The longest overlap of a rotation: 90 days, in milliseconds. What is meant to last longer is no rotation.
const OVERLAP_MS_MAX: i64 = 90 * 24 * 3_600_000;
/// The most keys of a workspace: every edge holds all of them, about 1 KiB each.
const KEYS_MAX: usize = 100_000;
/// How often to mint again where an id is taken; 47 random bits are not taken twice in a row.
const MINTS_MAX: u32 = 8;

impl Inner {
    pub(crate) async fn create_client_key(
        &self,
        caller: &Caller,
        new: NewClientKey,
    ) -> Result<(MintedKey, u64), StoreError> {
        let note = checked_note(new.note)?;
        let mut change = self.change(caller).await?;
        in_future(new.expires_at, change.now)?;
        if change.rows.client_keys().await?.len() >= KEYS_MAX {
            return Err(StoreError::FailedPrecondition(format!("there are {KEYS_MAX} client keys already")));
        }
        let (key, mut row) = change.mint(&new.owner, &new.scope).await?;
        row.note = note;
        row.expires_at = new.expires_at;
        change.put_client_key(&row).await?;
        let detail = json!({"owner": row.owner, "scope": new.scope, "expires_at": row.expires_at});
        let revision = change.commit("client_key.create", &row.key_id, detail).await?;
        Ok((MintedKey { key: convert::client_key(&row)?, shown_once: key }, revision))
    }

    pub(crate) async fn update_client_key(
        &self,
        caller: &Caller,
        given: ClientKeyChange,
    ) -> Result<(ClientKey, u64), StoreError> {
        let mut change = self.change(caller).await?;
        let mut row = client_key_row(change.rows.as_mut(), &given.key_id).await?;
        let note_changed = given.note.is_some();
        if let Some(note) = given.note {
            row.note = checked_note(Some(note))?;
        }
        if let Some(scope) = &given.scope {
            row.scope = json!(scope).to_string();
        }
        match given.expires_at {
            None => {}
            Some(Expiry::Never) => row.expires_at = None,
            Some(Expiry::At(time)) => {
                in_future(Some(time), change.now)?;
                row.expires_at = Some(time);
            }
        }
        let row = change.updated(row);
        change.put_client_key(&row).await?;
        let detail = json!({"note": note_changed, "scope": given.scope, "expires_at": row.expires_at});
        let revision = change.commit("client_key.update", &row.key_id, detail).await?;
        Ok((convert::client_key(&row)?, revision))
    }

    pub(crate) async fn rotate_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
        overlap_ms: i64,
    ) -> Result<(MintedKey, u64), StoreError> {
        if !(0..=OVERLAP_MS_MAX).contains(&overlap_ms) {
            return Err(invalid("the overlap must be 0 to 90 days"));
        }
        let mut change = self.change(caller).await?;
        let mut old = client_key_row(change.rows.as_mut(), key_id).await?;
        let mut record = convert::record(&old)?;
        if old.replaced_by.is_some() || !record.standing(change.now).counts() {
            return Err(StoreError::FailedPrecondition(
                "only a key that counts and was not replaced yet can be rotated".to_owned(),
            ));
        }
        record.retire(change.now, overlap_ms);
        let (key, mut row) = change.mint(&convert::label(&old.owner)?, &convert::scope(&old.scope)?).await?;
        row.note.clone_from(&old.note);
        row.expires_at = old.expires_at;
        change.put_client_key(&row).await?;
        old.retires_at = record.retires_at_ms;
        old.replaced_by = Some(row.key_id.clone());
        let old = change.updated(old);
        change.put_client_key(&old).await?;
        let detail = json!({"replaces": old.key_id, "retires_at": old.retires_at});
        let revision = change.commit("client_key.rotate", &row.key_id, detail).await?;
        Ok((MintedKey { key: convert::client_key(&row)?, shown_once: key }, revision))
    }

    pub(crate) async fn revoke_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
    ) -> Result<(ClientKey, u64), StoreError> {
        let mut change = self.change(caller).await?;
        let mut row = client_key_row(change.rows.as_mut(), key_id).await?;
        row.revoked_at.get_or_insert(change.now);
        let row = change.updated(row);
        change.put_client_key(&row).await?;
        let revision = change.commit("client_key.revoke", &row.key_id, json!({"owner": row.owner})).await?;
        Ok((convert::client_key(&row)?, revision))
    }

    pub(crate) async fn delete_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<u64, StoreError> {
        let mut change = self.change(caller).await?;
        let row = client_key_row(change.rows.as_mut(), key_id).await?;
        if convert::record(&row)?.standing(change.now).counts() {
            return Err(StoreError::FailedPrecondition(
                "the client key still counts; revoke it before it is deleted".to_owned(),
            ));
        }
        change.touch_caller(&row.key_id);
        change.rows.delete_client_key(&row.key_id).await?;
        change.commit("client_key.delete", &row.key_id, json!({"owner": row.owner})).await
    }

    pub(crate) async fn client_key(&self, key_id: &KeyId) -> Result<ClientKey, StoreError> {
        Ok(convert::client_key(&client_key_row(self.read().await?.as_mut(), key_id).await?)?)
    }

    pub(crate) async fn client_keys(&self, owner: Option<&Label>) -> Result<Vec<ClientKey>, StoreError> {
        let rows = self.read().await?.client_keys().await?;
        let mut keys = rows.iter().map(convert::client_key).collect::<Result<Vec<_>, _>>()?;
        keys.retain(|key| owner.is_none_or(|owner| key.owner == *owner));
        Ok(keys)
    }
}

impl Change<'_> {
    /// A new key, and its row, which is not put yet.
    async fn mint(&mut self, owner: &Label, scope: &Scope) -> Result<(Key, ClientKeyRow), StoreError> {
        let materials = &self.inner.materials;
        for _ in 0..MINTS_MAX {
            let bits = self.inner.entropy.bits().to_be_bytes();
            let id_bits = u64::from_be_bytes(*bits.first_chunk().unwrap_or(&[0; 8]));
            let key = Key::mint(Kind::Client, id_bits, &material::random(self.inner.entropy.as_ref()));
            let record = materials.clients.record(&key);
            if self.rows.client_key(record.key_id.as_str()).await?.is_some() {
                continue;
            }
            let row = ClientKeyRow {
                key_id: record.key_id.to_string(),
                mac: record.mac.as_bytes().to_vec(),
                pepper: i64::from(record.pepper.0),
                owner: owner.to_string(),
                note: None,
                scope: json!(scope).to_string(),
                expires_at: None,
                retires_at: None,
                revoked_at: None,
                replaced_by: None,
                created_at: self.now,
                last_updated_at: self.now,
                created_by: self.actor(),
                last_updated_by: self.actor(),
            };
            return Ok((key, row));
        }
        tracing::error!("no free key id was found: the source of random bits repeats itself");
        Err(StoreError::Internal)
    }

    /// The row, changed now by who asks.
    fn updated(&self, row: ClientKeyRow) -> ClientKeyRow {
        ClientKeyRow { last_updated_at: self.now, last_updated_by: self.actor(), ..row }
    }

    async fn put_client_key(&mut self, row: &ClientKeyRow) -> Result<(), StoreError> {
        self.touch_caller(&row.key_id);
        Ok(self.rows.put_client_key(row).await?)
    }
}

async fn client_key_row(rows: &mut (impl Read + ?Sized), key_id: &KeyId) -> Result<ClientKeyRow, StoreError> {
    let missing = || StoreError::NotFound(format!("client key not found (key_id='{key_id}')"));
    rows.client_key(key_id.as_str()).await?.ok_or_else(missing)
}

/// A note as it may lie in its column; an empty one is none.
fn checked_note(note: Option<String>) -> Result<Option<String>, StoreError> {
    let note = note.filter(|note| !note.trim().is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX || note.chars().any(char::is_control))
    {
        return Err(invalid(format!("note must be at most {NOTE_MAX} characters that can be shown")));
    }
    Ok(note)
}

fn in_future(expires_at: Option<i64>, now: i64) -> Result<(), StoreError> {
    if expires_at.is_some_and(|time| time <= now) {
        return Err(invalid("expires_at must be in the future"));
    }
    Ok(())
}
