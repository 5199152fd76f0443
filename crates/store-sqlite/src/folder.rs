//! The data folder: made, kept from others, and held by one process.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::{DATABASE, OpenError};

/// Whoever holds the lock on this file has the database. The file stays: deleting it would let two hold "the" lock.
const LOCK: &str = "keyward.lock";

/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// A held data folder. Dropped, or with the end of the process however it ends, it is free again.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
}

/// Takes the folder; makes it if it is not there.
pub(crate) fn hold(folder: &Path) -> Result<Held, OpenError> {
    make(folder)?;
    let path = folder.join(LOCK);
    let lock = open_private(&path, OpenOptions::new().create(true)).map_err(OpenError::files(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Held { _lock: lock }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::Files { path, source }),
    }
}

/// Makes the database's file, empty, unless it is there; either way only its owner may read it. SQLite gives its `-wal` and
/// `-shm` the same permissions.
pub(crate) fn make_file(path: &Path) -> Result<(), OpenError> {
    let file = open_private(path, OpenOptions::new().create(true)).map_err(OpenError::files(path))?;
    let mode = file.metadata().map_err(OpenError::files(path))?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(0o600)).map_err(OpenError::files(path))
}

/// Makes a file that must not be there yet, readable for its owner only.
pub(crate) fn make_new(path: &Path) -> Result<File, OpenError> {
    open_private(path, OpenOptions::new().create_new(true)).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => OpenError::Exists(path.to_owned()),
        _ => OpenError::Files { path: path.to_owned(), source },
    })
}

/// Brings a file and its name to the disk.
pub(crate) fn sync(path: &Path) -> Result<(), OpenError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(path).and_then(|file| file.sync_all());
    let synced = synced.and_then(|()| File::open(parent)).and_then(|folder| folder.sync_all());
    synced.map_err(OpenError::files(path))
}

fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true).write(true).mode(0o600).open(path)
}

fn make(folder: &Path) -> Result<(), OpenError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.and_then(|()| close_to_others(folder)).map_err(OpenError::files(folder))
}

/// A folder that was there before: kept from others if it holds nothing but what is ours. A folder that is shared with other
/// things is its owner's business; the files in it are closed to others in any case.
fn close_to_others(folder: &Path) -> io::Result<()> {
    let open = fs::metadata(folder)?.permissions().mode() & OTHERS != 0;
    if !open || !is_ours(folder)? {
        return Ok(());
    }
    match fs::set_permissions(folder, Permissions::from_mode(0o700)) {
        // A mounted volume may belong to somebody else.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            tracing::warn!(folder = %folder.display(), "others may list the data folder, and it is not ours to close");
            Ok(())
        }
        closed => closed,
    }
}

fn is_ours(folder: &Path) -> io::Result<bool> {
    let mut names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| PathBuf::from(entry.file_name())));
    Ok(folder.join(DATABASE).exists() || names.next().transpose()?.is_none())
}
