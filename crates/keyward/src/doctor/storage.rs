//! Key, database and disk.

use std::path::Path;

use seal::{KeyFileError, Keyring};

use super::Report;
use crate::{
    config::{Database, Ready},
    roles::{self, Fit},
};

/// Below this many free bytes there is something to do soon.
const FREE_WARN: u64 = 1 << 30;
/// Below this many a change may fail any moment.
const FREE_MIN: u64 = 64 << 20;

pub(super) async fn look(report: &mut Report, ready: &Ready) {
    let keyring = key(report, ready);
    match ready.database() {
        Err(error) => report.fail("database", &fault::chain(error.as_ref())),
        Ok(Database::Embedded(folder)) => {
            embedded(report, &folder, keyring.as_ref()).await;
            disk(report, &folder);
        }
        Ok(database @ Database::Postgres(_)) => {
            opened(report, "Postgres", &database, keyring.as_ref()).await;
        }
    }
}

fn key(report: &mut Report, ready: &Ready) -> Option<Keyring> {
    let path = match ready.key_file() {
        Ok(path) => path,
        Err(error) => {
            report.fail("key file", &fault::chain(error.as_ref()));
            return None;
        }
    };
    let shown = path.display();
    match Keyring::load(&path) {
        Ok(keyring) => {
            let id = keyring.active().id();
            report.ok(
                "key file",
                &format!("`{shown}` holds key `{id}`, for its owner only; keep a copy elsewhere"),
            );
            Some(keyring)
        }
        Err(KeyFileError::Missing(_)) => {
            report.warn(
                "key file",
                &format!("`{shown}` does not exist; the first start with a new database makes it"),
            );
            None
        }
        Err(error @ KeyFileError::Open { .. }) => {
            report.fail("key file", &format!("{error}; run `chmod 600 {shown}`"));
            None
        }
        Err(error) => {
            report.fail("key file", &error.to_string());
            None
        }
    }
}

/// Looks at a copy: the database itself is neither changed nor kept from a Keyward that has it open.
async fn embedded(report: &mut Report, folder: &Path, keyring: Option<&Keyring>) {
    if !roles::is_there(folder) {
        report.ok("database", &format!("none in `{}` yet; the first start makes it", folder.display()));
        return;
    }
    let copied = async {
        let place = tempfile::Builder::new().prefix("keyward-doctor-").tempdir()?;
        let copy = place.path().join(store_sqlite::DATABASE);
        store_sqlite::backup(&store_sqlite::Config::new(folder), &copy).await?;
        anyhow::Ok(place)
    };
    match copied.await {
        Err(error) => report.fail("database", &fault::chain(error.as_ref())),
        Ok(copy) => {
            let database = Database::Embedded(copy.path().to_owned());
            opened(report, &format!("`{}`", folder.display()), &database, keyring).await;
        }
    }
}

async fn opened(report: &mut Report, name: &str, database: &Database, keyring: Option<&Keyring>) {
    let tables = match roles::tables(database).await {
        Ok(tables) => tables,
        Err(error) => return report.fail("database", &format!("{name}: {}", fault::chain(error.as_ref()))),
    };
    report.ok("database", &format!("{name} opens"));
    let missing = async {
        let ids = store::keys_of(tables.as_ref()).await?;
        anyhow::Ok(if ids.is_empty() { Fit::New } else { Fit::Needs(ids.join("`, `")) })
    };
    let fit = match keyring {
        Some(keyring) => roles::fits(tables.as_ref(), keyring).await,
        None => missing.await,
    };
    match fit {
        Ok(Fit::New) => report.ok("key", "nothing was sealed yet"),
        Ok(Fit::Opens) => report.ok("key", "opens the database"),
        Ok(Fit::Needs(ids)) => report.fail(
            "key",
            &format!("the database was sealed with key `{ids}`: put that key's file back, or name it with `--key-file`"),
        ),
        Err(error) => report.fail("key", &fault::chain(error.as_ref())),
    }
    tables.close().await;
}

fn disk(report: &mut Report, folder: &Path) {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(there) {
        Err(error) => {
            report.warn("disk", &format!("cannot tell the free space of `{}`: {error}", there.display()));
        }
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let said = format!("{} MiB free for `{}`", free >> 20, folder.display());
            match free {
                0..FREE_MIN => report.fail("disk", &format!("{said}: changes will be refused; make room")),
                FREE_MIN..FREE_WARN => report.warn("disk", &format!("{said}; make room soon")),
                _ => report.ok("disk", &said),
            }
        }
    }
}
