//! Database and keys, and the store over them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use names::Workspace;
use seal::{KekId, KeyFileError, Keyring};
use store::{Clock as _, Entropy as _, Parts, Settings, Store, System, Tables, tables::KeyCheckRow};
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

/// Opens database, keys and store; keys that do not fit are refused before anything is changed. `migrate`: a Postgres database is brought up to date first; the embedded one always is.
pub(crate) async fn open(ready: &Ready, database: &Database, migrate: bool) -> anyhow::Result<Storage> {
    let key_file = ready.key_file()?;
    let data = match database {
        Database::Embedded(folder) => folder.display().to_string(),
        Database::Postgres(_) => "Postgres".to_owned(),
    };
    refuse_other_keys(&key_file, &key_checks(database).await?)?;
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
    let store = opened.with_context(|| opening_with(&key_file))?;
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
            refuse_a_new_key(&missing, &needed)?;
            let id = KekId::dated(System.now_ms(), System.bits());
            Ok((Keyring::create(path, id).context("make the key-encryption key")?, true))
        }
        loaded => Ok((loaded.context("read the key-encryption key")?, false)),
    }
}

/// What keys are judged by, read without changing anything, before the database is migrated.
async fn key_checks(database: &Database) -> anyhow::Result<Vec<KeyCheckRow>> {
    match database {
        Database::Embedded(folder) => {
            let checks = store_sqlite::key_checks(&store_sqlite::Config::new(folder)).await;
            checks.context("open the embedded database")
        }
        Database::Postgres(url) => {
            let checks = store_postgres::key_checks(&store_postgres::Config::new(url.clone())).await;
            checks.context("open the Postgres database")
        }
    }
}

/// Refuses keys that do not open what the database was sealed with, and to go on without any where it was.
fn refuse_other_keys(path: &Path, known: &[KeyCheckRow]) -> anyhow::Result<()> {
    match Keyring::load(path) {
        Err(KeyFileError::Missing(missing)) => {
            let needed: Vec<_> = known.iter().map(|row| row.kek_id.clone()).collect();
            refuse_a_new_key(&missing, &needed)
        }
        loaded => {
            let keyring = loaded.context("read the key-encryption key")?;
            Store::check_keys(known, &keyring).map(drop).with_context(|| opening_with(path))
        }
    }
}

fn refuse_a_new_key(missing: &Path, needed: &[String]) -> anyhow::Result<()> {
    if !needed.is_empty() {
        bail!(
            "the key file `{}` is missing, and the database was sealed with key `{}`; put that key's file there, \
             or name it with `--key-file`; nothing was changed",
            missing.display(),
            needed.join("`, `")
        );
    }
    Ok(())
}

fn opening_with(key_file: &Path) -> String {
    format!("open the database with the key in `{}`", key_file.display())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    /// The database is held by somebody else, so that whoever opens it before looking at the key says that instead.
    #[tokio::test]
    async fn keys_are_judged_before_the_database_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (data, right) = (folder.path().join("data"), folder.path().join("right/kek.key"));
        let (wrong, none) = (folder.path().join("wrong/kek.key"), folder.path().join("none/kek.key"));
        let at = |key_file: &Path| {
            let (data_dir, key_file) = (Some(data.clone()), Some(key_file.to_owned()));
            Sources { data_dir, key_file, ..Sources::default() }.ready().unwrap()
        };
        let database = Database::Embedded(data.clone());
        let held = open(&at(&right), &database, true).await.unwrap();
        Keyring::create(&wrong, KekId::dated(0, 1)).unwrap();
        for (key_file, said) in [(&wrong, "KEK `k197001-000001` does not open"), (&none, "is missing")] {
            let error = format!("{:#}", open(&at(key_file), &database, true).await.err().unwrap());
            assert!(error.contains(said) && error.contains(&held.key_id), "{error}");
        }
        assert!(!none.exists(), "no key is made for a database that has one");
        let error = format!("{:#}", open(&at(&right), &database, true).await.err().unwrap());
        assert!(error.contains("in use"), "{error}");
    }
}
