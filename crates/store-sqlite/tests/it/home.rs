//! A database of one test, in a folder that goes with it.

use std::{path::PathBuf, sync::Arc};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use store::{Tables, suite::tables::Home};
use store_sqlite::{Config, DATABASE, Sqlite};
use tempfile::TempDir;

/// An open database.
pub(crate) struct Folder {
    pub(crate) tables: Arc<Sqlite>,
    folder: TempDir,
}

/// Never none: SQLite is everywhere.
pub(crate) async fn home(_case: &'static str) -> Option<Folder> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path());
    // Many writers at once on a busy machine: who waits is not to be told that it took too long.
    config.acquire_timeout = std::time::Duration::from_mins(1);
    config.answer_timeout = std::time::Duration::from_mins(1);
    Some(Folder { tables: Arc::new(Sqlite::open(config).await.unwrap()), folder })
}

impl Folder {
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join(DATABASE)
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(self.folder.path())
    }
}

#[async_trait::async_trait]
impl Home for Folder {
    fn tables(&self) -> Arc<dyn Tables> {
        Arc::clone(&self.tables) as Arc<dyn Tables>
    }

    async fn tamper(&self, statement: &'static str) -> Result<(), String> {
        let options = SqliteConnectOptions::new().filename(self.file());
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let answer = sqlx::query(statement).execute(&mut connection).await;
        connection.close().await.unwrap();
        answer.map(drop).map_err(|error| error.to_string())
    }
}
