//! A database of one test on the cluster that `cargo xtask test` started.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use store::{Tables, suite::tables::Home};
use store_postgres::{Config, Postgres, migrate};

/// Superuser's URL of a cluster, or, where there is none, why; and where to note what is not run. `crates/xtask` sets them.
const URL: &str = "KEYWARD_TEST_POSTGRES_URL";
const MISSING: &str = "KEYWARD_TEST_POSTGRES_MISSING";
const NOT_RUN: &str = "KEYWARD_TEST_NOT_RUN";

/// A database of one test.
pub(crate) struct Database {
    pub(crate) name: String,
    cluster: String,
}

/// A migrated one, open.
pub(crate) struct Opened {
    pub(crate) tables: Arc<Postgres>,
    pub(crate) database: Database,
}

/// None where there is no Postgres, which is noted.
pub(crate) async fn home(case: &'static str) -> Option<Opened> {
    let database = Database::create(case).await?;
    migrate(&database.config()).await.unwrap();
    let tables = Arc::new(Postgres::open(database.config()).await.unwrap());
    Some(Opened { tables, database })
}

impl Database {
    /// An empty one.
    pub(crate) async fn create(case: &'static str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if let Some(reason) = variable(MISSING) {
            note(case, &reason);
            return None;
        }
        let cluster = variable(URL).expect("run by `cargo xtask test`, which starts a Postgres");
        // A process a test, or one for all of them.
        let name = format!("tables_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let database = Self { name, cluster };
        database.on_cluster(&format!("CREATE DATABASE {}", database.name)).await;
        Some(database)
    }

    /// Another of the same cluster.
    pub(crate) fn renamed(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// With limits for a busy machine: who waits for its turn there is not to be told that it took too long.
    pub(crate) fn config(&self) -> Config {
        let (cluster, _) = self.cluster.rsplit_once('/').unwrap();
        let mut config = Config::new(format!("{cluster}/{}", self.name).into());
        config.acquire_timeout = Duration::from_mins(1);
        config.statement_timeout = Duration::from_mins(1);
        config.lock_timeout = Duration::from_mins(1);
        config.connections_max = 20;
        config
    }

    /// A connection past the tables.
    pub(crate) async fn connect(&self) -> PgConnection {
        let url = self.config().url;
        PgConnection::connect(secrecy::ExposeSecret::expose_secret(&url)).await.unwrap()
    }

    /// Runs a statement as the cluster's superuser, outside of the database.
    pub(crate) async fn on_cluster(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.cluster).await.unwrap();
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Runs a statement in it.
    pub(crate) async fn execute(&self, statement: &'static str) -> Result<(), String> {
        let mut connection = self.connect().await;
        let answer = connection.execute(statement).await;
        connection.close().await.unwrap();
        answer.map(drop).map_err(|error| error.to_string())
    }
}

#[async_trait::async_trait]
impl Home for Opened {
    fn tables(&self) -> Arc<dyn Tables> {
        Arc::clone(&self.tables) as Arc<dyn Tables>
    }

    async fn tamper(&self, statement: &'static str) -> Result<(), String> {
        self.database.execute(statement).await
    }
}

#[expect(clippy::disallowed_methods, reason = "how `cargo xtask test` speaks to tests")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// One line, so that a run names what it did not run.
fn note(case: &str, reason: &str) {
    let Some(path) = variable(NOT_RUN) else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("store-postgres {case}: {reason}\n").as_bytes()).unwrap();
}
