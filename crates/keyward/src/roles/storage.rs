//! Database and keys, and the store over them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use names::Workspace;
use seal::{KekId, KeyFileError, Keyring};
use store::{Clock as _, Parts, Settings, Store, System, Tables};
use store_postgres::Postgres;
use store_sqlite::Sqlite;

use crate::{
    api_base::EgressRules,
    config::{Database, Ready},
};

/// An open store, and what its operator has to know.
pub(crate) struct Storage {
    /// The store.
    pub store: Store,
    /// Where the data is, for people.
    pub data: String,
    /// Where the key is.
    pub key_file: PathBuf,
    /// Its id.
    pub key_id: String,
    /// Whether the key was made just now.
    pub key_is_new: bool,
}

/// Opens database, keys and store. `migrate`: a Postgres database is brought up to date first; the embedded one always is.
pub(crate) async fn open(ready: &Ready, database: &Database, migrate: bool) -> anyhow::Result<Storage> {
    let key_file = ready.key_file()?;
    let data = match database {
        Database::Embedded(folder) => folder.display().to_string(),
        Database::Postgres(_) => "Postgres".to_owned(),
    };
    if let Database::Postgres(url) = database
        && migrate
    {
        let config = store_postgres::Config::new(url.clone());
        store_postgres::migrate(&config).await.context("bring the database up to date")?;
    }
    let tables = tables(database).await?;
    let (keyring, key_is_new) = keyring(&key_file, tables.as_ref()).await?;
    let key_id = keyring.active().id().to_string();
    let egress = &ready.written.egress;
    let policy = EgressRules { policy: egress.policy(), behind_proxy: egress.proxy.is_some() };
    let parts = Parts {
        tables,
        keyring,
        policy: Arc::new(policy),
        clock: Arc::new(System),
        entropy: Arc::new(System),
    };
    let opened = Store::open(parts, settings(ready)).await;
    let store =
        opened.with_context(|| format!("open the database with the key in `{}`", key_file.display()))?;
    Ok(Storage { store, data, key_file, key_id, key_is_new })
}

fn settings(ready: &Ready) -> Settings {
    let mut settings = Settings::default();
    if let Some(apply_wait_max) = ready.written.store.apply_wait_max {
        settings.apply_wait_max = apply_wait_max.0.max(Duration::from_millis(1));
    }
    settings
}

/// The database's tables, their migrations run.
pub(crate) async fn tables(database: &Database) -> anyhow::Result<Arc<dyn Tables>> {
    Ok(match database {
        Database::Embedded(folder) => {
            let opened = Sqlite::open(store_sqlite::Config::new(folder)).await;
            Arc::new(opened.context("open the embedded database")?)
        }
        Database::Postgres(url) => {
            let opened = Postgres::open(store_postgres::Config::new(url.clone())).await;
            Arc::new(opened.context("open the Postgres database")?)
        }
    })
}

/// The keys at hand; a new database gets a new one. A database that was sealed with a key is never opened with a newly
/// made one: that would only hide that the right one is missing.
async fn keyring(path: &Path, tables: &dyn Tables) -> anyhow::Result<(Keyring, bool)> {
    match Keyring::load(path) {
        Err(KeyFileError::Missing(missing)) => {
            let needed = store::keys_of(tables).await.context("ask the database for its keys")?;
            if !needed.is_empty() {
                bail!(
                    "the key file `{}` is missing, and the database was sealed with key `{}`; put that key's file there, \
                     or name it with `--key-file`; nothing was changed",
                    missing.display(),
                    needed.join("`, `")
                );
            }
            let id = KekId::dated(System.now_ms(), 1);
            Ok((Keyring::create(path, id).context("make the key-encryption key")?, true))
        }
        loaded => Ok((loaded.context("read the key-encryption key")?, false)),
    }
}

/// Whether these keys open what the database was sealed with, without changing anything.
pub(crate) async fn fits(tables: &dyn Tables, keyring: &Keyring) -> anyhow::Result<Fit> {
    let checks = tables.read(&Workspace::default()).await?.key_checks().await?;
    let opens = checks.iter().any(|row| {
        let kek = KekId::parse(&row.kek_id).ok().and_then(|id| keyring.get(&id));
        kek.is_some_and(|kek| seal::opens_check(kek, &row.blob))
    });
    let ids: Vec<_> = checks.into_iter().map(|row| row.kek_id).collect();
    Ok(match (ids.is_empty(), opens) {
        (true, _) => Fit::New,
        (false, true) => Fit::Opens,
        (false, false) => Fit::Needs(ids.join("`, `")),
    })
}

/// Whether keys fit a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Nothing was sealed there yet.
    New,
    /// They do.
    Opens,
    /// They do not: keys of these ids are needed.
    Needs(String),
}

/// Whether there is an embedded database in that folder.
pub(crate) fn is_there(folder: &Path) -> bool {
    folder.join(store_sqlite::DATABASE).is_file()
}
