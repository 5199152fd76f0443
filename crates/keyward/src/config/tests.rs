//! Example files: what can be used, what cannot and what is said about it, and what is in force when nothing is said.

use std::{fs, path::PathBuf};

use super::*;

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "config", name].iter().collect()
}

/// Every file of a folder with its text; at least one.
fn files(name: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files: Vec<_> = paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    assert!(!files.is_empty(), "{name} is empty");
    files
}

fn sources(file: PathBuf) -> Sources {
    Sources { config: Some(file), ..Sources::default() }
}

#[test]
fn valid_files_can_be_used_and_come_back_from_what_is_shown() {
    for (file, _) in files("valid") {
        let written = sources(file.clone()).read().unwrap();
        sources(file.clone()).ready().unwrap_or_else(|error| panic!("{}: {error:#}", file.display()));
        let shown = toml::to_string_pretty(&written).unwrap();
        assert!(!shown.contains("hunter2"), "{}", file.display());
        if written.egress.proxy.is_none() {
            let again: Written = toml::from_str(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
            assert_eq!(toml::to_string_pretty(&again).unwrap(), shown);
        }
    }
}

#[test]
fn invalid_files_are_refused_for_the_reasons_that_they_name() {
    for (file, text) in files("invalid") {
        let error = sources(file.clone()).ready().expect_err(&file.display().to_string());
        let said = format!("{error:#}");
        let reasons: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# says: ")).collect();
        assert!(!reasons.is_empty(), "{} names no reason", file.display());
        assert!(!said.contains("hunter2"), "{} shows a password", file.display());
        for reason in reasons {
            assert!(said.contains(reason), "{} lacks `{reason}`:\n{said}", file.display());
        }
    }
}

/// What `keyward config` shows where nothing is configured: every limit with its unit and default. Changing a default is
/// a change for users: it belongs to the changelog.
#[test]
fn the_defaults_are_those_that_were_released() {
    let sources = Sources {
        data_dir: Some("/home/user/.local/share/keyward/data".into()),
        key_file: Some("/home/user/.config/keyward/kek.key".into()),
        ..Sources::default()
    };
    let shown = toml::to_string_pretty(&sources.ready().unwrap().effective().unwrap()).unwrap();
    let golden = fs::read_to_string(folder("effective.toml")).unwrap();
    assert_eq!(shown, golden);
}

#[test]
fn the_command_line_goes_before_the_file() {
    let file = folder("valid").join("edge.toml");
    let given = Sources {
        replica: Some("edge-2".to_owned()),
        store_url: Some("http://127.0.0.1:6001".to_owned()),
        forwarders: vec!["gemini=http://127.0.0.1:6002".to_owned()],
        listen: Some(([127, 0, 0, 1], 6000).into()),
        ..sources(file)
    };
    let ready = given.ready().unwrap();
    assert_eq!(ready.written.replica.as_deref(), Some("edge-2"));
    assert_eq!(ready.store.unwrap().to_string(), "http://127.0.0.1:6001/");
    assert_eq!(ready.listeners[0].address.port(), 6000);
    let homes: Vec<_> = ready.forwarders.values().collect();
    assert!(matches!(homes[..], [Home::Remote(uri)] if uri.port_u16() == Some(6002)), "{homes:?}");
}
