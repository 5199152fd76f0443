//! A copy of the database that is sound by itself, and the way back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sqlx::{Connection as _, SqliteConnection};

use crate::{Config, OpenError, folder, migrate};

/// What a restore copies into before it knows that the copy is sound.
const UNCHECKED: &str = "keyward.db.restoring";

/// Writes the database of that folder, as of one moment, into a new file that only its owner may read. It needs no lock on
/// the folder: a store may run there, and goes on writing meanwhile.
///
/// # Errors
/// [`OpenError::Missing`] without a database, [`OpenError::Exists`] where `to` is a file already.
pub async fn backup(config: &Config, to: &Path) -> Result<(), OpenError> {
    let from = config.file();
    if !from.is_file() {
        return Err(OpenError::Missing(from));
    }
    let target = to.to_str().ok_or_else(|| OpenError::files(to)(io::ErrorKind::InvalidFilename.into()))?;
    drop(folder::make_new(to)?);
    let copied = copy(config, &from, target).await;
    let done = copied.and_then(|()| folder::sync(to));
    if done.is_err() {
        // Half a backup must not be mistaken for one.
        fs::remove_file(to).map_err(OpenError::files(to))?;
    }
    done
}

async fn copy(config: &Config, from: &Path, target: &str) -> Result<(), OpenError> {
    let mut connection = connect(config, from).await?;
    migrate::check(&mut connection, from).await?;
    // Into the empty file that was made with its permissions.
    sqlx::query("VACUUM INTO ?1").bind(target).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Makes the database of a folder that has none from a file that [`backup`] wrote. Its epoch is 0 afterwards, so that
/// `store::Store::open` draws a new one and no watcher believes what it knows of the history after the backup.
///
/// # Errors
/// [`OpenError::InUse`] while a store has the folder, [`OpenError::Exists`] where it has a database,
/// [`OpenError::NotKeyward`] or [`OpenError::Newer`] where `from` is no backup that this program can use. Nothing was
/// changed then.
pub async fn restore(config: &Config, from: &Path) -> Result<(), OpenError> {
    if !from.is_file() {
        return Err(OpenError::Missing(from.to_owned()));
    }
    let held = folder::hold(&config.folder)?;
    let to = config.file();
    if let Some(there) = leftovers(&to).into_iter().find(|path| path.exists()) {
        return Err(OpenError::Exists(there));
    }
    let unchecked = config.folder.join(UNCHECKED);
    let checked = check_copy(config, from, &unchecked).await;
    let named = checked.and_then(|()| fs::rename(&unchecked, &to).map_err(OpenError::files(&to)));
    if named.is_err() {
        discard(&unchecked)?;
    }
    named.and_then(|()| folder::sync(&to)).map(|()| drop(held))
}

/// A database and what SQLite would read together with it: a write-ahead log of another database corrupts this one.
fn leftovers(database: &Path) -> [PathBuf; 3] {
    let beside = |ending: &str| {
        let mut path = database.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    [database.to_owned(), beside("-wal"), beside("-journal")]
}

/// Copies, and looks at the copy: `from` itself is only read.
async fn check_copy(config: &Config, from: &Path, copy: &Path) -> Result<(), OpenError> {
    // What a restore left behind that was interrupted.
    discard(copy)?;
    let mut source = fs::File::open(from).map_err(OpenError::files(from))?;
    let mut target = folder::make_new(copy)?;
    io::copy(&mut source, &mut target).map_err(OpenError::files(copy))?;

    let mut connection = connect(config, copy).await?;
    let checked = async {
        migrate::check(&mut connection, from).await?;
        migrate::check_integrity(&mut connection, from).await?;
        sqlx::query("UPDATE meta SET epoch = 0").execute(&mut connection).await?;
        Ok(())
    };
    let checked: Result<(), OpenError> = checked.await;
    connection.close().await?;
    checked.and_then(|()| folder::sync(copy))
}

fn discard(file: &Path) -> Result<(), OpenError> {
    for path in leftovers(file) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::files(path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn connect(config: &Config, file: &Path) -> Result<SqliteConnection, OpenError> {
    let connected = SqliteConnection::connect_with(&config.options().filename(file)).await;
    connected.map_err(|error| migrate::garbled(file, error))
}
