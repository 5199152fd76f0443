//! The key-encryption keys at hand: one that seals, and those that still open.
//!
//! In files: either one key file, or a folder with several `*.key` files and a file `current` that holds the id of the
//! active one (not needed while there is only one). A key file is the line `keyward-kek-v1 <id> <base64>`, or just 32
//! raw bytes or their base64, and then its id is taken from a hash.

use std::{collections::BTreeMap, path::Path};

use zeroize::Zeroizing;

use crate::{Kek, KekId, KeyFileError, SealError, file};

/// What a key file begins with.
const MARK: &str = "keyward-kek-v1";
/// The file in a keyring folder that names the active key.
const CURRENT: &str = "current";

/// Key-encryption keys by id: opens with any, seals with the active one.
#[derive(Debug)]
pub struct Keyring {
    active: Kek,
    others: BTreeMap<KekId, Kek>,
}

impl Keyring {
    /// A keyring of one key.
    pub fn new(active: Kek) -> Self {
        Self { active, others: BTreeMap::new() }
    }

    /// Adds a key that opens only. An id stands for one key.
    pub fn with(mut self, kek: Kek) -> Result<Self, SealError> {
        if self.get(kek.id()).is_some() {
            return Err(SealError::Malformed("two keys of one id"));
        }
        self.others.insert(kek.id().clone(), kek);
        Ok(self)
    }

    /// Reads a key file, or a keyring folder.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        if path.is_dir() { load_folder(path) } else { Ok(Self::new(load_file(path)?)) }
    }

    /// Makes a key, writes it to a new file of mode 0600, and returns the keyring of it. Never overwrites.
    pub fn create(path: &Path, id: KekId) -> Result<Self, KeyFileError> {
        let kek = Kek::generate(id).map_err(|_| KeyFileError::NoRandomness)?;
        let line = Zeroizing::new(format!("{MARK} {} {}\n", kek.id(), file::encode(kek.key()).as_str()));
        file::create(path, line.as_bytes())?;
        Ok(Self::new(kek))
    }

    /// The key that seals.
    pub fn active(&self) -> &Kek {
        &self.active
    }

    /// The key of that id.
    pub fn get(&self, id: &KekId) -> Option<&Kek> {
        if id == self.active.id() { Some(&self.active) } else { self.others.get(id) }
    }

    /// Every key, the active one first.
    pub fn keys(&self) -> impl Iterator<Item = &Kek> {
        std::iter::once(&self.active).chain(self.others.values())
    }
}

fn load_file(path: &Path) -> Result<Kek, KeyFileError> {
    let content = file::read(path)?;
    parse(&content).map_err(|said| KeyFileError::NotAKey { path: path.to_owned(), said })
}

fn parse(content: &[u8]) -> Result<Kek, &'static str> {
    const WRONG_KEY: &str = "not 32 bytes, raw or in base64, or all of them the same";
    if let Some(rest) = content.strip_prefix(MARK.as_bytes()) {
        let rest = std::str::from_utf8(rest).map_err(|_| "not text")?;
        let mut words = rest.split_ascii_whitespace();
        let (Some(id), Some(key), None) = (words.next(), words.next(), words.next()) else {
            return Err("not of the form `keyward-kek-v1 <id> <base64>`");
        };
        let id = KekId::parse(id).map_err(|_| "the id is not lower-case letters, digits and hyphens")?;
        let key = file::decode(key.as_bytes()).ok_or(WRONG_KEY)?;
        return Kek::from_bytes(id, key.as_ref()).map_err(|_| WRONG_KEY);
    }
    // 32 bytes are the key itself; base64 of 32 bytes is longer.
    if content.len() == 32 {
        return Kek::from_bytes_named_by_hash(content).map_err(|_| WRONG_KEY);
    }
    let key = file::decode(content).ok_or(WRONG_KEY)?;
    Kek::from_bytes_named_by_hash(key.as_ref()).map_err(|_| WRONG_KEY)
}

fn load_folder(folder: &Path) -> Result<Keyring, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: folder.to_owned(), source };
    let refused = |said| KeyFileError::Keyring { path: folder.to_owned(), said };
    let mut keys = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            let kek = load_file(&path)?;
            if keys.insert(kek.id().clone(), kek).is_some() {
                return Err(refused("two of its `*.key` files have the same id"));
            }
        }
    }
    let id = match current(folder)? {
        Some(text) => KekId::parse(text.trim()).map_err(|_| refused("`current` does not hold an id"))?,
        None if keys.len() <= 1 => {
            keys.keys().next().cloned().ok_or_else(|| refused("it has no `*.key` file"))?
        }
        None => return Err(refused("it has several keys and no file `current` that names the active one")),
    };
    let active = keys.remove(&id).ok_or_else(|| refused("no key has the id that `current` names"))?;
    Ok(Keyring { active, others: keys })
}

/// What `current` says, if it is there. An id is public, so its mode does not matter.
fn current(folder: &Path) -> Result<Option<String>, KeyFileError> {
    let path = folder.join(CURRENT);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyFileError::Io { path, source }),
    }
}

#[cfg(test)]
mod tests;
