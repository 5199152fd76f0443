//! What is checked before a database is used: that these keys open it, and that it has an epoch.

use std::sync::Arc;

use names::Workspace;
use seal::{KekId, Keyring};

use super::{Inner, Parts, Settings, Store, material::Materials};
use crate::{
    Entropy, StoreError, Tables,
    hub::Hub,
    tables::{KeyCheckRow, Meta, Write},
};

/// Why a database was not opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key of this id is not the key that the database was sealed with.
    #[error(
        "KEK `{id}` does not open this database, which was sealed with another key with the same id; nothing was changed"
    )]
    WrongKey {
        /// The id that the key has.
        id: String,
    },
    /// No key at hand has an id that the database knows.
    #[error("KEK `{id}` does not open this database, which needs `{needed}`; nothing was changed")]
    OtherKeys {
        /// The id of the active key.
        id: String,
        /// The ids that the database knows, with commas.
        needed: String,
    },
    /// The database could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<crate::tables::TablesError> for OpenError {
    fn from(error: crate::tables::TablesError) -> Self {
        Self::Store(error.into())
    }
}

/// The ids of the keys that the database was sealed with; none: it is new. Ask before a key is made: a database with
/// one is never opened with a newly made key.
pub async fn keys_of(tables: &dyn Tables) -> Result<Vec<String>, StoreError> {
    let mut rows = tables.read(&Workspace::default()).await?;
    Ok(rows.key_checks().await?.into_iter().map(|row| row.kek_id).collect())
}

/// Draws a new epoch: after a restore, so that watchers take a snapshot instead of believing their revisions.
pub async fn renew_epoch(tables: &dyn Tables, entropy: &dyn Entropy) -> Result<(), StoreError> {
    let mut rows = tables.write(&Workspace::default()).await?;
    let meta = rows.meta().await?;
    rows.put_meta(Meta { epoch: new_epoch(entropy), ..meta }).await?;
    Ok(rows.commit().await?)
}

impl Store {
    /// Checks the keys, and opens. A new database gets its key-check value and its epoch.
    pub async fn open(parts: Parts, settings: Settings) -> Result<Self, OpenError> {
        let mut rows = parts.tables.write(&settings.workspace).await?;
        let mut changed = take_keys(rows.as_mut(), &parts.keyring).await?;
        let (workspace, entropy) = (settings.workspace.as_str(), parts.entropy.as_ref());
        let (materials, made) = Materials::open(rows.as_mut(), workspace, &parts.keyring, entropy).await?;
        changed |= made;
        let meta = rows.meta().await?;
        if meta.epoch == 0 {
            rows.put_meta(Meta { epoch: new_epoch(parts.entropy.as_ref()), ..meta }).await?;
            changed = true;
        }
        if changed {
            rows.commit().await.map_err(StoreError::from)?;
        } else {
            drop(rows);
        }
        let Parts { tables, keyring, policy, clock, entropy } = parts;
        let hub = Hub::default();
        Ok(Self {
            inner: Arc::new(Inner { tables, keyring, policy, clock, entropy, settings, materials, hub }),
        })
    }

    /// Whether a database with these key-check values (none: a new one) is one that these keys open, as [`Store::open`]
    /// judges it. To be asked before a database is migrated. True: the active key is among the known ones.
    pub fn check_keys(known: &[KeyCheckRow], keyring: &Keyring) -> Result<bool, OpenError> {
        check_keys(known, keyring)
    }
}

/// True: a key-check value was added.
async fn take_keys(rows: &mut dyn Write, keyring: &Keyring) -> Result<bool, OpenError> {
    let active = keyring.active();
    let active_is_known = check_keys(&rows.key_checks().await?, keyring)?;
    if !active_is_known {
        let blob = seal::make_check(active).map_err(StoreError::from)?;
        rows.put_key_check(&KeyCheckRow { kek_id: active.id().to_string(), blob }).await?;
    }
    Ok(!active_is_known)
}

fn check_keys(known: &[KeyCheckRow], keyring: &Keyring) -> Result<bool, OpenError> {
    let active = keyring.active();
    let mut opened = known.is_empty();
    let mut active_is_known = false;
    for row in known {
        let Some(kek) = KekId::parse(&row.kek_id).ok().and_then(|id| keyring.get(&id)) else { continue };
        if !seal::opens_check(kek, &row.blob) {
            return Err(OpenError::WrongKey { id: row.kek_id.clone() });
        }
        opened = true;
        active_is_known |= kek.id() == active.id();
    }
    if !opened {
        let needed = known.iter().map(|row| row.kek_id.as_str()).collect::<Vec<_>>().join("`, `");
        return Err(OpenError::OtherKeys { id: active.id().to_string(), needed });
    }
    Ok(active_is_known)
}

/// Above 0, and fits a BIGINT.
fn new_epoch(entropy: &dyn Entropy) -> i64 {
    let low = u64::try_from(entropy.bits() & u128::from(u64::MAX >> 1));
    low.ok().and_then(|low| i64::try_from(low).ok()).unwrap_or(1).max(1)
}
