//! Files that hold a key: read only where nobody else may, made once, never overwritten.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::KeyFileError;

/// No key file is longer, in bytes.
const MAX: usize = 4096;

/// Standard base64 (RFC 4648, section 4), written with padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a key file whole, if its mode is 0600 or 0400.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => failed(source),
    })?;
    // Asked of the open file, so that the answer is about what is read.
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAKey { path: path.to_owned(), said: "not a plain file" });
    }
    if mode & 0o177 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    // One buffer of the full size: growing it would leave copies of the key behind.
    let mut content = Zeroizing::new(vec![0; MAX + 1]);
    let mut length = 0;
    loop {
        match file.read(&mut content[length..]).map_err(failed)? {
            0 => break,
            more => length += more,
        }
        if length > MAX {
            return Err(KeyFileError::NotAKey { path: path.to_owned(), said: "too long" });
        }
    }
    content.truncate(length);
    Ok(content)
}

/// Makes a key file of mode 0600, and folders above it of mode 0700 where they are missing. On disk when it returns.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(
        |source| match source.kind() {
            ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
            _ => failed(source),
        },
    )?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    let synced = written.and_then(|()| File::open(folder)?.sync_all());
    synced.map_err(|source| {
        // Half a key is worse than none: the next start would refuse it, and nothing was sealed with it yet.
        let _ = std::fs::remove_file(path);
        failed(source)
    })
}

/// Decodes 32 bytes from base64, white space around them aside.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    // 43 digits may decode to 33 bytes at most: the estimate that `decode_slice` insists on.
    let mut bytes = Zeroizing::new([0; 36]);
    let length = BASE64.decode_slice(text.trim_ascii(), bytes.as_mut()).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    (length == 32).then(|| key.copy_from_slice(&bytes[..32]))?;
    Some(key)
}

/// Encodes 32 bytes as base64.
pub(crate) fn encode(key: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(key))
}
