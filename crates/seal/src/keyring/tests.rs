//! Key files and keyring folders: what is taken, what is refused, and that errors never show content.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use tempfile::TempDir;

use super::*;

const RAW: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";
const BASE64: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=";

fn write(folder: &TempDir, name: &str, content: &[u8], mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_created_file_is_private_reads_back_and_is_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("new/keys/kek.key");
    let made = Keyring::create(&path, KekId::parse("k202611-1").unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(folder.path().join("new")).unwrap().permissions().mode() & 0o777, 0o700);
    let read = Keyring::load(&path).unwrap();
    assert_eq!(read.active().id().as_str(), "k202611-1");
    assert_eq!(read.active().key(), made.active().key());
    let before = fs::read(&path).unwrap();
    let again = Keyring::create(&path, KekId::parse("k202611-2").unwrap());
    assert!(matches!(again, Err(KeyFileError::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn every_form_of_a_key_file_is_read() {
    let folder = TempDir::new().unwrap();
    let by_hash = Kek::from_bytes_named_by_hash(&RAW).unwrap();
    for (content, id) in [
        (RAW.to_vec(), by_hash.id().as_str()),
        (BASE64.as_bytes().to_vec(), by_hash.id().as_str()),
        (format!("  {}\r\n", BASE64.trim_end_matches('=')).into_bytes(), by_hash.id().as_str()),
        (format!("keyward-kek-v1 k202611-1 {BASE64}\n").into_bytes(), "k202611-1"),
        (format!("keyward-kek-v1\tk202611-1\t{BASE64}").into_bytes(), "k202611-1"),
    ] {
        for mode in [0o600, 0o400] {
            let path = folder.path().join("k.key");
            let _ = fs::remove_file(&path);
            let read = Keyring::load(&write(&folder, "k.key", &content, mode)).unwrap();
            assert_eq!(read.active().id().as_str(), id);
            assert_eq!(read.active().key(), &RAW);
        }
    }
}

#[test]
fn what_is_not_a_key_is_refused_without_showing_it() {
    let folder = TempDir::new().unwrap();
    for content in [
        "",
        "CANARY",
        "CANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARY",
        "keyward-kek-v1 k1",
        "keyward-kek-v1 k1 CANARY",
        &format!("keyward-kek-v1 K1 {BASE64}"),
        &format!("keyward-kek-v1 k1 {BASE64} CANARY"),
        "keyward-kek-v1 k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        &"C".repeat(5000),
    ] {
        let path = write(&folder, "k.key", content.as_bytes(), 0o600);
        let error = Keyring::load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::NotAKey { .. }), "{content:?}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}

#[test]
fn a_file_that_others_may_read_is_refused_and_so_is_a_missing_one() {
    let folder = TempDir::new().unwrap();
    for mode in [0o604, 0o640, 0o644, 0o660, 0o700, 0o666] {
        let path = write(&folder, "k.key", BASE64.as_bytes(), mode);
        let error = Keyring::load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Open { mode: seen, .. } if seen == mode), "{error:?}");
    }
    let missing = Keyring::load(&folder.path().join("none.key")).unwrap_err();
    assert!(matches!(missing, KeyFileError::Missing(_)), "{missing:?}");
}

#[test]
fn a_folder_is_a_keyring_whose_current_names_the_active_key() {
    let folder = TempDir::new().unwrap();
    let other = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    write(&folder, "a.key", format!("keyward-kek-v1 k1 {BASE64}").as_bytes(), 0o400);
    write(&folder, "notes.txt", b"not a key", 0o644);
    assert_eq!(Keyring::load(folder.path()).unwrap().active().id().as_str(), "k1");

    write(&folder, "b.key", format!("keyward-kek-v1 k2 {other}").as_bytes(), 0o600);
    assert!(matches!(Keyring::load(folder.path()), Err(KeyFileError::Keyring { .. })), "which is active?");

    write(&folder, "current", b"k2\n", 0o644);
    let keyring = Keyring::load(folder.path()).unwrap();
    let ids: Vec<&str> = keyring.keys().map(|kek| kek.id().as_str()).collect();
    assert_eq!(ids, ["k2", "k1"]);
    assert!(keyring.get(&KekId::parse("k1").unwrap()).is_some());

    write(&folder, "current", b"k3", 0o644);
    assert!(matches!(Keyring::load(folder.path()), Err(KeyFileError::Keyring { .. })), "no such key");
    write(&folder, "current", b"k1", 0o644);
    write(&folder, "c.key", format!("keyward-kek-v1 k1 {other}").as_bytes(), 0o600);
    assert!(matches!(Keyring::load(folder.path()), Err(KeyFileError::Keyring { .. })), "one id, two keys");
}

#[test]
fn one_key_that_others_may_read_spoils_the_folder_and_an_empty_one_is_refused() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Keyring::load(folder.path()), Err(KeyFileError::Keyring { .. })));
    write(&folder, "a.key", BASE64.as_bytes(), 0o644);
    assert!(matches!(Keyring::load(folder.path()), Err(KeyFileError::Open { .. })));
}
