//! What a watcher holds, on disk, so that it starts without the store.
//!
//! One file a watch, replaced as a whole: written beside it, synced, renamed. Its first line says what it is, in which
//! version, and the SHA-256 of the rest, which is JSON. For a forwarder it holds sealed blobs only; the key that opens
//! them lies elsewhere. A file that is damaged, of another version or for another scope is not used, and never a reason
//! not to start.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{Held, Keyed, Position};

/// How the first line begins, in every version.
const MARK: &str = "keyward-snapshot";
/// The version of the file's form.
const VERSION: &str = "1";

/// State as of a position.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot<T> {
    /// Where the store was; a watch goes on from here.
    pub position: Position,
    /// Everything that was held.
    pub items: Vec<T>,
}

/// Where a snapshot lies, and of what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    scope: String,
}

/// Why a snapshot was not saved or cannot be used. For the operator: names the path.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The operating system refused.
    #[error("cannot read or write the snapshot `{}`", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be read, or is of another version, or of something else.
    #[error("the snapshot `{}` cannot be used: {said}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        said: &'static str,
    },
}

/// What is in the file after its first line; `items` last, so that a look at its beginning tells what it is.
#[derive(Serialize, Deserialize)]
struct Written<S, I> {
    scope: S,
    position: Position,
    items: Vec<I>,
}

impl Place {
    /// A snapshot of `scope` at `path`. The scope says whose state it is, e.g. `catalog` or `vault/gemini/replica-1`: a
    /// file of another scope is not used.
    pub fn new(path: impl Into<PathBuf>, scope: impl Into<String>) -> Self {
        Self { path: path.into(), scope: scope.into() }
    }

    /// Reads it; none where there is no file. Blocks.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Option<Snapshot<T>>, SnapshotError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed(source)),
        };
        let content = sound(&bytes).map_err(|said| self.unusable(said))?;
        let written: Written<String, T> =
            serde_json::from_slice(content).map_err(|_| self.unusable("it does not hold what it should"))?;
        if written.scope != self.scope {
            return Err(self.unusable("it is of something else"));
        }
        Ok(Some(Snapshot { position: written.position, items: written.items }))
    }

    /// Replaces it, for its owner only (mode 0600). On disk when this returns. Blocks.
    pub fn save<T: Serialize>(&self, position: Position, items: &[Arc<T>]) -> Result<(), SnapshotError> {
        let items = items.iter().map(AsRef::as_ref).collect();
        let written = Written::<&str, &T> { scope: &self.scope, position, items };
        let content = serde_json::to_vec(&written).map_err(|_| self.unusable("it cannot be written"))?;
        let first = format!("{MARK} {VERSION} {}\n", checksum(&content));
        replace(&self.path, &[first.as_bytes(), &content]).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> SnapshotError {
        SnapshotError::Io { path: self.path.clone(), source }
    }

    fn unusable(&self, said: &'static str) -> SnapshotError {
        SnapshotError::Unusable { path: self.path.clone(), said }
    }
}

/// What follows the first line, if that line is ours, of this version, and right about the rest.
fn sound(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it is no snapshot, or cut off")?;
    let (first, content) = (&bytes[..end], &bytes[end + 1..]);
    let first = std::str::from_utf8(first).map_err(|_| "it is no snapshot")?;
    let mut words = first.split(' ');
    if words.next() != Some(MARK) {
        return Err("it is no snapshot");
    }
    if words.next() != Some(VERSION) {
        return Err("it was written by another version");
    }
    if words.next() != Some(checksum(content).as_str()) {
        return Err("it is damaged: its checksum is another");
    }
    Ok(content)
}

fn checksum(content: &[u8]) -> String {
    hex::encode(digest(&SHA256, content))
}

/// Fills `held` from the snapshot at `place`; whether there was one. A snapshot that cannot be used is told in the log
/// and then as if there were none.
pub async fn restore<T: Keyed + DeserializeOwned>(place: &Place, held: &Held<T>) -> bool {
    let from = place.clone();
    // A task that was cancelled belongs to a runtime that is going away.
    let loaded = tokio::task::spawn_blocking(move || from.load::<T>()).await.unwrap_or(Ok(None));
    match loaded {
        Ok(Some(snapshot)) => {
            held.replace(snapshot.position, snapshot.items);
            true
        }
        Ok(None) => false,
        Err(cause) => {
            tracing::warn!(cause = &cause as &dyn std::error::Error, "starting without a snapshot");
            false
        }
    }
}

/// Saves what is held after every change, until `held` is gone or this is dropped. Changes that come while it writes are
/// written together; what cannot be written is told in the log and tried again with the next change.
pub async fn keep<T: Keyed + Serialize>(place: Place, held: Arc<Held<T>>) {
    let mut positions = held.positions();
    loop {
        let reached = *positions.borrow_and_update();
        if let Some(position) = reached {
            save_now(&place, &held, position).await;
        }
        if positions.changed().await.is_err() {
            return;
        }
    }
}

async fn save_now<T: Keyed + Serialize>(place: &Place, held: &Arc<Held<T>>, position: Position) {
    // Items may already be newer than `position`; a watch from there tells of those changes again, which is harmless.
    let (place, items) = (place.clone(), held.all());
    let saved = tokio::task::spawn_blocking(move || place.save(position, &items)).await;
    if let Ok(Err(cause)) = saved {
        tracing::warn!(cause = &cause as &dyn std::error::Error, "the snapshot was not saved");
    }
}

/// Writes beside `path`, syncs, renames, syncs the folder: either the old or the new content, whole, at any time.
fn replace(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let beside = folder.join(format!(".{}.new", name.to_string_lossy()));
    // A left-over of a crash is removed, so that the new file has our mode and nobody else's.
    match std::fs::remove_file(&beside) {
        Err(source) if source.kind() != ErrorKind::NotFound => return Err(source),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
