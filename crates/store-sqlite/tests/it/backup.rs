//! Backup of a database that is in use or is not, and restore.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use names::Workspace;
use store::{
    Tables,
    tables::{AuditRow, Meta},
};
use store_sqlite::{Config, DATABASE, OpenError, Sqlite, backup, restore};
use tempfile::TempDir;

use crate::home::{Folder, home};

async fn commit(tables: &dyn Tables, revision: i64) {
    let mut rows = tables.write(&Workspace::default()).await.unwrap();
    rows.put_meta(Meta { epoch: 77, revision, change_floor: 0 }).await.unwrap();
    let row = AuditRow {
        seq: 0,
        at: 0,
        actor: None,
        actor_kind: "admin".to_owned(),
        action: "x".to_owned(),
        object: "o".to_owned(),
        object_version: None,
        outcome: "ok".to_owned(),
        request_id: "r".to_owned(),
        revision,
        source: None,
        detail: "{}".to_owned(),
        prev: vec![0; 32],
        mac: vec![0; 32],
    };
    rows.append_audit(&row).await.unwrap();
    rows.commit().await.unwrap();
}

async fn with_commits(count: i64) -> (Folder, TempDir) {
    let home = home("").await.unwrap();
    for revision in 1..=count {
        commit(home.tables.as_ref(), revision).await;
    }
    (home, tempfile::tempdir().unwrap())
}

async fn restored(from: &Path) -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path().join("new"));
    restore(&config, from).await.unwrap();
    (Sqlite::open(config).await.unwrap(), folder)
}

#[tokio::test]
async fn a_backup_of_a_running_store_comes_back_with_a_new_history() {
    let (home, target) = with_commits(3).await;
    let to = target.path().join("copy.db");
    // As a second process does it: past the store that has the folder.
    backup(&home.config(), &to).await.unwrap();
    commit(home.tables.as_ref(), 4).await;
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);

    let (tables, _folder) = restored(&to).await;
    let mut rows = tables.read(&Workspace::default()).await.unwrap();
    let meta = rows.meta().await.unwrap();
    assert_eq!(meta, Meta { epoch: 0, revision: 3, change_floor: 0 }, "a new epoch is to be drawn");
    assert_eq!(rows.audit_since(0, 99).await.unwrap().len(), 3);
    drop(rows);
    commit(&tables, 4).await;
}

#[tokio::test]
async fn a_backup_holds_whole_transactions_while_others_commit() {
    let (home, target) = with_commits(1).await;
    let tables = home.tables.clone();
    let writing = async move {
        for revision in 2..=40 {
            commit(tables.as_ref(), revision).await;
        }
    };
    let to = target.path().join("copy.db");
    let config = home.config();
    let (copied, ()) = tokio::join!(backup(&config, &to), writing);
    copied.unwrap();
    let (tables, _folder) = restored(&to).await;
    let mut rows = tables.read(&Workspace::default()).await.unwrap();
    let revision = rows.meta().await.unwrap().revision;
    let audit = rows.audit_since(0, 99).await.unwrap();
    assert_eq!(i64::try_from(audit.len()).unwrap(), revision);
    assert_eq!(audit.last().unwrap().revision, revision);
}

#[tokio::test]
async fn a_backup_of_a_stopped_store_is_the_same() {
    let (home, target) = with_commits(2).await;
    home.tables.close().await;
    let to = target.path().join("copy.db");
    backup(&home.config(), &to).await.unwrap();
    let (tables, _folder) = restored(&to).await;
    let mut rows = tables.read(&Workspace::default()).await.unwrap();
    assert_eq!(rows.meta().await.unwrap().revision, 2);
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_needs_a_database() {
    let (home, target) = with_commits(1).await;
    let to = target.path().join("copy.db");
    fs::write(&to, "precious").unwrap();
    assert!(matches!(backup(&home.config(), &to).await, Err(OpenError::Exists(_))));
    assert_eq!(fs::read(&to).unwrap(), b"precious");
    let empty = Config::new(target.path().join("nothing"));
    assert!(matches!(backup(&empty, &target.path().join("x")).await, Err(OpenError::Missing(_))));
    assert!(!target.path().join("x").exists());
}

#[tokio::test]
async fn a_restore_touches_no_folder_that_has_a_database_or_a_store() {
    let (home, target) = with_commits(1).await;
    let to = target.path().join("copy.db");
    backup(&home.config(), &to).await.unwrap();
    assert!(matches!(restore(&home.config(), &to).await, Err(OpenError::InUse(_))));
    home.tables.close().await;
    let before = fs::read(home.file()).unwrap();
    assert!(matches!(restore(&home.config(), &to).await, Err(OpenError::Exists(_))));
    assert!(fs::read(home.file()).unwrap() == before, "it was changed");
    // The log of a database that was deleted by hand would be read into the restored one.
    fs::rename(home.file(), home.file().with_extension("db-wal")).unwrap();
    assert!(matches!(restore(&home.config(), &to).await, Err(OpenError::Exists(_))));
}

#[tokio::test]
async fn what_is_no_sound_backup_is_not_restored() {
    let (home, target) = with_commits(30).await;
    let good = target.path().join("good.db");
    backup(&home.config(), &good).await.unwrap();
    let mut bytes = fs::read(&good).unwrap();
    let half = bytes.len() / 2;
    let cut = target.path().join("cut.db");
    fs::write(&cut, &bytes[..half]).unwrap();
    let garbled = target.path().join("garbled.db");
    bytes[half..].fill(0xa5);
    fs::write(&garbled, bytes).unwrap();
    let text = target.path().join("text.db");
    fs::write(&text, "keyward\n".repeat(1000)).unwrap();
    let empty = target.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    for file in [cut, garbled, text, empty] {
        let config = Config::new(target.path().join("new"));
        let before = fs::read(&file).unwrap();
        let error = restore(&config, &file).await.unwrap_err();
        assert!(matches!(error, OpenError::NotKeyward { .. }), "{}: {error:?}", file.display());
        assert!(!config.folder.join(DATABASE).exists());
        assert!(fs::read(&file).unwrap() == before, "it was changed");
        // And the way is free for a good one.
        assert_eq!(fs::read_dir(&config.folder).unwrap().count(), 1, "only the lock file");
    }
    let config = Config::new(target.path().join("new"));
    restore(&config, &good).await.unwrap();
}
