//! The folder and the file: made, closed to others, held by one, refused where they are not ours.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use names::Workspace;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use store::{
    Tables as _,
    suite::tables::Home as _,
    tables::{KeyCheckRow, Meta, TablesError},
};
use store_sqlite::{Config, DATABASE, OpenError, Sqlite, key_checks};

use crate::home::home;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_owner_can_read_what_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data/keyward");
    let tables = Sqlite::open(Config::new(&folder)).await.unwrap();
    let mut rows = tables.write(&Workspace::default()).await.unwrap();
    rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
    rows.commit().await.unwrap();
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn an_empty_folder_and_an_open_file_are_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Sqlite::open(Config::new(folder.path())).await.unwrap().close().await;
    assert_eq!(mode(folder.path()), 0o700);
    let file = folder.path().join(DATABASE);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    Sqlite::open(Config::new(folder.path())).await.unwrap().close().await;
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn a_folder_that_is_shared_with_other_things_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "x").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Sqlite::open(Config::new(folder.path())).await.unwrap().close().await;
    assert_eq!(mode(folder.path()), 0o755);
    assert_eq!(mode(&folder.path().join(DATABASE)), 0o600);
}

#[tokio::test]
async fn a_second_store_on_the_folder_is_refused_until_the_first_is_closed() {
    let home = home("").await.unwrap();
    let error = Sqlite::open(home.config()).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error:?}");
    assert!(error.to_string().contains(home.config().folder.to_str().unwrap()), "{error}");
    home.tables.close().await;
    Sqlite::open(home.config()).await.unwrap();
}

/// Set in the process that [`a_second_process_is_refused`] starts.
const CHILD_FOLDER: &str = "KEYWARD_TEST_CHILD_FOLDER";

#[tokio::test]
async fn a_second_process_is_refused() {
    let home = home("").await.unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "folder::child_opens_the_folder", "--nocapture"])
        .env(CHILD_FOLDER, &home.config().folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("refused: the data folder `{}` is in use", home.config().folder.display());
    assert!(said.contains(&expected), "{said}");
}

/// What the other process does; without a folder it is nobody's.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how this test speaks to its other process")]
async fn child_opens_the_folder() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    println!("refused: {}", Sqlite::open(Config::new(folder)).await.unwrap_err());
}

#[tokio::test]
async fn what_was_committed_is_there_after_another_open() {
    let home = home("").await.unwrap();
    let mut rows = home.tables.write(&Workspace::default()).await.unwrap();
    let meta = Meta { epoch: 5, revision: 6, change_floor: 0 };
    rows.put_meta(meta).await.unwrap();
    rows.commit().await.unwrap();
    home.tables.close().await;
    let tables = Sqlite::open(home.config()).await.unwrap();
    assert_eq!(tables.read(&Workspace::default()).await.unwrap().meta().await.unwrap(), meta);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
    for (content, statement) in [
        (Some("not a database, and longer than a header of SQLite would be, by far……………"), None),
        (None, Some("CREATE TABLE theirs (x)")),
    ] {
        let home = home("").await.unwrap();
        home.tables.close().await;
        fs::remove_file(home.file()).unwrap();
        if let Some(content) = content {
            fs::write(home.file(), content.repeat(100)).unwrap();
        }
        if let Some(statement) = statement {
            fs::write(home.file(), "").unwrap();
            home.tamper(statement).await.unwrap();
        }
        let before = fs::read(home.file()).unwrap();
        let error = Sqlite::open(home.config()).await.unwrap_err();
        assert!(matches!(error, OpenError::NotKeyward { .. }), "{error:?}");
        assert!(fs::read(home.file()).unwrap() == before, "it was changed");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_a_changed_one_too() {
    let home = home("").await.unwrap();
    home.tables.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'later', TRUE, x'00', 0)";
    home.tamper(newer).await.unwrap();
    let error = Sqlite::open(home.config()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { migration: 9999, .. }), "{error:?}");
    home.tamper("DELETE FROM _sqlx_migrations WHERE version = 9999").await.unwrap();
    home.tamper("UPDATE _sqlx_migrations SET checksum = x'00'").await.unwrap();
    let error = Sqlite::open(home.config()).await.unwrap_err();
    assert!(matches!(error, OpenError::Migration(_)), "{error:?}");
}

#[tokio::test]
async fn a_replacing_insert_does_not_slip_past_the_triggers() {
    let home = home("").await.unwrap();
    let insert = "INSERT INTO audit VALUES ('default', 1, 0, NULL, 'k', 'a', 'o', NULL, 'ok', 'r', 1, NULL, '{}', x'', x'')";
    home.tamper(insert).await.unwrap();
    let replace = "INSERT OR REPLACE INTO audit VALUES ('default', 1, 0, NULL, 'k', 'b', 'o', NULL, 'ok', 'r', 1, NULL, '{}', x'', x'')";
    let message = home.tamper(replace).await.unwrap_err();
    assert!(message.contains("is refused"), "{message}");
    home.tamper("INSERT INTO change_log VALUES (1, 'default', 1, 'vault', 'k', '')").await.unwrap();
    let message =
        home.tamper("REPLACE INTO change_log VALUES (1, 'default', 1, 'vault', 'x', '')").await.unwrap_err();
    assert!(message.contains("is refused"), "{message}");
}

#[tokio::test]
async fn a_lock_of_another_process_is_unavailable_and_nothing_is_written() {
    let home = home("").await.unwrap();
    home.tables.close().await;
    let mut config = home.config();
    config.busy_timeout = std::time::Duration::ZERO;
    let tables = Sqlite::open(config).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.file());
    let mut stranger = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut stranger).await.unwrap();
    let answer = tables.write(&Workspace::default()).await;
    assert!(matches!(answer, Err(TablesError::Unavailable(_))));
    drop(answer);
    sqlx::query("ROLLBACK").execute(&mut stranger).await.unwrap();
    tables.write(&Workspace::default()).await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn its_keys_are_read_without_migrating_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path());
    assert_eq!(key_checks(&config).await.unwrap(), []);
    assert!(!folder.path().join(DATABASE).exists(), "asking makes no database");

    // As an older program left it: a schema of which only this table is the same.
    let options = SqliteConnectOptions::new().filename(folder.path().join(DATABASE)).create_if_missing(true);
    let mut older = SqliteConnection::connect_with(&options).await.unwrap();
    older.execute("CREATE TABLE other (a)").await.unwrap();
    assert_eq!(key_checks(&config).await.unwrap(), []);
    older.execute("CREATE TABLE key_checks (kek_id TEXT, blob BLOB, later TEXT)").await.unwrap();
    older.execute("INSERT INTO key_checks VALUES ('k2', x'02', ''), ('k1', x'01', '')").await.unwrap();
    let row = |id: &str, byte| KeyCheckRow { kek_id: id.to_owned(), blob: vec![byte] };
    assert_eq!(key_checks(&config).await.unwrap(), [row("k1", 1), row("k2", 2)]);
    let tables = "SELECT group_concat(name, ' ' ORDER BY name) FROM sqlite_schema WHERE type = 'table'";
    let tables: String = sqlx::query_scalar(tables).fetch_one(&mut older).await.unwrap();
    assert_eq!(tables, "key_checks other");
    older.close().await.unwrap();
}
