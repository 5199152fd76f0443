//! The fake store's client keys and audit log.

use access::{Key, KeyId, Kind};
use store::{
    AuditEntry, AuditFault, AuditLog, AuditVerdict, ClientKey, ClientKeyChange, ClientKeys, Expiry,
    MintedKey, NewClientKey,
};

use super::*;

impl Fake {
    fn minted(&self, caller: &Caller, new: NewClientKey) -> MintedKey {
        let now = self.tick();
        let shown_once = Key::mint(Kind::Client, u64::try_from(now).unwrap(), &[now.to_be_bytes()[7]; 32]);
        let key = ClientKey {
            key_id: shown_once.key_id(),
            owner: new.owner,
            note: new.note,
            scope: new.scope,
            expires_at: new.expires_at,
            retires_at: None,
            revoked_at: None,
            replaced_by: None,
            created_at: now,
            last_updated_at: now,
            created_by: caller.actor.clone(),
            last_updated_by: caller.actor.clone(),
        };
        self.state.lock().unwrap().keys.push(key.clone());
        MintedKey { key, shown_once }
    }

    fn changed(&self, key_id: KeyId, change: impl FnOnce(&mut ClientKey)) -> Result<ClientKey> {
        self.sound()?;
        let mut state = self.state.lock().unwrap();
        let key = state.keys.iter_mut().find(|key| key.key_id == key_id);
        let key = key.ok_or_else(|| missing("client key", "key_id", key_id))?;
        change(key);
        Ok(key.clone())
    }
}

#[async_trait::async_trait]
impl AuditLog for Fake {
    async fn audit(&self, since: i64, limit: i64) -> Result<Vec<AuditEntry>> {
        self.sound()?;
        let entry = |seq| AuditEntry {
            seq,
            at: 1,
            actor: None,
            actor_kind: "store".to_owned(),
            action: "secret.handover".to_owned(),
            object: "f".to_owned(),
            outcome: "ok".to_owned(),
            request_id: String::new(),
            revision: limit,
            detail: "{}".to_owned(),
        };
        Ok((since + 1..=3).map(entry).collect())
    }

    async fn verify_audit(&self) -> Result<AuditVerdict> {
        self.sound()?;
        let first_bad = Some(AuditFault { seq: 4, why: "changed".to_owned() });
        Ok(AuditVerdict { seq: 3, mac: "00".to_owned(), first_bad })
    }
}

#[async_trait::async_trait]
impl ClientKeys for Fake {
    async fn create_client_key(&self, caller: &Caller, new: NewClientKey) -> Result<Written<MintedKey>> {
        self.sound()?;
        let minted = self.minted(caller, new);
        Ok(self.written(caller, minted))
    }

    async fn client_key(&self, key_id: &KeyId) -> Result<ClientKey> {
        self.changed(*key_id, |_| ())
    }

    async fn client_keys(&self, owner: Option<&Label>) -> Result<Vec<ClientKey>> {
        self.sound()?;
        let mut keys = self.state.lock().unwrap().keys.clone();
        keys.retain(|key| owner.is_none_or(|owner| key.owner == *owner));
        Ok(keys)
    }

    async fn update_client_key(
        &self,
        caller: &Caller,
        change: ClientKeyChange,
    ) -> Result<Written<ClientKey>> {
        let key = self.changed(change.key_id, |key| {
            key.note = change.note.or_else(|| key.note.take());
            key.scope = change.scope.unwrap_or_else(|| key.scope.clone());
            match change.expires_at {
                None => {}
                Some(Expiry::Never) => key.expires_at = None,
                Some(Expiry::At(time)) => key.expires_at = Some(time),
            }
        })?;
        Ok(self.written(caller, key))
    }

    async fn rotate_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
        overlap_ms: i64,
    ) -> Result<Written<MintedKey>> {
        let old = self.changed(*key_id, |key| key.retires_at = Some(overlap_ms))?;
        let new =
            NewClientKey { owner: old.owner, note: old.note, scope: old.scope, expires_at: old.expires_at };
        let minted = self.minted(caller, new);
        Ok(self.written(caller, minted))
    }

    async fn revoke_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<Written<ClientKey>> {
        let now = self.tick();
        let key = self.changed(*key_id, |key| key.revoked_at = Some(now))?;
        Ok(self.written(caller, key))
    }

    async fn delete_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<Receipt> {
        self.changed(*key_id, |_| ())?;
        self.state.lock().unwrap().keys.retain(|key| key.key_id != *key_id);
        Ok(self.receipt(caller))
    }
}
