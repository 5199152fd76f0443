//! What admins may do about the keys of applications.

use access::{Key, KeyId, Scope};
use names::{Actor, Label};

use crate::{Caller, Receipt, StoreError, Written};

/// An application's key as admins see it: everything but the key. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// The public part of the key.
    pub key_id: KeyId,
    /// Whose it is.
    pub owner: Label,
    /// What it is for.
    pub note: Option<String>,
    /// Which endpoints it may call.
    pub scope: Scope,
    /// It counts until just before then.
    pub expires_at: Option<i64>,
    /// It was replaced, and counts until just before then.
    pub retires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// The key that replaces it.
    pub replaced_by: Option<KeyId>,
    /// Creation time.
    pub created_at: i64,
    /// Time of the last change.
    pub last_updated_at: i64,
    /// Who created it.
    pub created_by: Option<Actor>,
    /// Who changed it last.
    pub last_updated_by: Option<Actor>,
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewClientKey {
    /// Whose it is.
    pub owner: Label,
    /// What it is for; at most 1 000 characters.
    pub note: Option<String>,
    /// Which endpoints it may call.
    pub scope: Scope,
    /// It counts until just before then; in the future.
    pub expires_at: Option<i64>,
}

/// A change of a key; absent fields stay. Owner and key are for good: another owner gets another key.
#[derive(Debug, Clone)]
pub struct ClientKeyChange {
    /// Which one.
    pub key_id: KeyId,
    /// New note; empty: none.
    pub note: Option<String>,
    /// New scope.
    pub scope: Option<Scope>,
    /// New end, in the future.
    pub expires_at: Option<Expiry>,
}

/// When a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// Just before then.
    At(i64),
}

/// A key that was made just now. The one time that it is in the clear.
#[derive(Debug)]
pub struct MintedKey {
    /// What is kept of it.
    pub key: ClientKey,
    /// The key itself, to be shown once.
    pub shown_once: Key,
}

/// The keys of applications. Every change is as those of [`crate::Admin`]; edges have applied it when its answer comes.
#[async_trait::async_trait]
pub trait ClientKeys: Send + Sync + 'static {
    /// Makes a key.
    async fn create_client_key(
        &self,
        caller: &Caller,
        new: NewClientKey,
    ) -> Result<Written<MintedKey>, StoreError>;
    /// One key.
    async fn client_key(&self, key_id: &KeyId) -> Result<ClientKey, StoreError>;
    /// All keys, of one owner where one is given, by creation time, then id.
    async fn client_keys(&self, owner: Option<&Label>) -> Result<Vec<ClientKey>, StoreError>;
    /// Changes note, scope or end.
    async fn update_client_key(
        &self,
        caller: &Caller,
        change: ClientKeyChange,
    ) -> Result<Written<ClientKey>, StoreError>;
    /// Makes a key with the same owner, note, scope and end; the old one counts for `overlap_ms` more, at most 90 days.
    /// Only a key that counts and was not replaced yet.
    async fn rotate_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
        overlap_ms: i64,
    ) -> Result<Written<MintedKey>, StoreError>;
    /// It counts no more. Revoked again, nothing changes but the revision.
    async fn revoke_client_key(
        &self,
        caller: &Caller,
        key_id: &KeyId,
    ) -> Result<Written<ClientKey>, StoreError>;
    /// Deletes it; a key that still counts is refused (`FailedPrecondition`): revoke it first.
    async fn delete_client_key(&self, caller: &Caller, key_id: &KeyId) -> Result<Receipt, StoreError>;
}
