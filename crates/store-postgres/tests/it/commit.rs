//! Commits whose answer does not come, servers that end a connection, locks that are held.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use names::Workspace;
use secrecy::ExposeSecret as _;
use sqlx::Executor as _;
use store::{
    Tables,
    tables::{CommitError, Meta, TablesError},
};
use store_postgres::{Config, Postgres};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::home::{Opened, home};

/// Stands between the tables and the server. Once armed, it cuts the first connection that sends COMMIT: before the server
/// gets it, or after the server has answered.
struct Cutter {
    port: u16,
    armed: Arc<AtomicBool>,
    _connections: JoinSet<()>,
}

#[derive(Clone, Copy)]
enum Cut {
    BeforeCommit,
    AfterCommit,
}

impl Cutter {
    async fn start(server: String, cut: Cut) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicBool::new(false));
        let mut connections = JoinSet::new();
        let seen = Arc::clone(&armed);
        connections.spawn(async move {
            let mut relays = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                relays.spawn(relay(client, server, Arc::clone(&seen), cut));
            }
        });
        Self { port, armed, _connections: connections }
    }

    fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }
}

async fn relay(client: TcpStream, server: TcpStream, armed: Arc<AtomicBool>, cut: Cut) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut answers = JoinSet::new();
    answers.spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            // What the server said when it was to be kept from the client: the end of the relay is the cut.
            if to_client.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    });
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let sent = &buffer[..count];
        let commits = sent.windows(6).any(|word| word == b"COMMIT");
        if commits && armed.swap(false, Ordering::SeqCst) {
            answers.abort_all();
            // Until it is over: from here on nothing reaches the client.
            while answers.join_next().await.is_some() {}
            if matches!(cut, Cut::AfterCommit) {
                to_server.write_all(sent).await.unwrap();
            }
            return;
        }
        if to_server.write_all(sent).await.is_err() {
            return;
        }
    }
}

async fn through(home: &Opened, cut: Cut) -> (Cutter, Postgres) {
    let url = home.database.config().url.expose_secret().to_owned();
    let (_, rest) = url.split_once('@').unwrap();
    let (server, _) = rest.split_once('/').unwrap();
    let cutter = Cutter::start(server.to_owned(), cut).await;
    let url = url.replace(server, &format!("127.0.0.1:{}", cutter.port));
    let config = Config { url: url.into(), ..home.database.config() };
    let tables = Postgres::open(config).await.unwrap();
    (cutter, tables)
}

/// Commits a change; `before` happens just before COMMIT is sent.
async fn commit(tables: &dyn Tables, before: impl Future<Output = ()>) -> Result<(), CommitError> {
    let mut rows = tables.write(&Workspace::default()).await.unwrap();
    rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
    before.await;
    rows.commit().await
}

async fn revision(home: &Opened) -> i64 {
    home.tables.read(&Workspace::default()).await.unwrap().meta().await.unwrap().revision
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_found_committed() {
    let Some(home) = home("answer lost").await else { return };
    let (cutter, tables) = through(&home, Cut::AfterCommit).await;
    commit(&tables, async { cutter.arm() }).await.unwrap();
    assert!(!cutter.armed.load(Ordering::SeqCst), "the connection was cut");
    assert_eq!(revision(&home).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_did_not_arrive_is_found_aborted() {
    let Some(home) = home("commit lost").await else { return };
    let (cutter, tables) = through(&home, Cut::BeforeCommit).await;
    let error = commit(&tables, async { cutter.arm() }).await.unwrap_err();
    assert!(matches!(error, CommitError::NotCommitted(TablesError::Unavailable(_))), "{error:?}");
    assert_eq!(revision(&home).await, 0);
    // And the tables are good for another.
    commit(&tables, async {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_cannot_be_asked_for_is_unknown() {
    let Some(home) = home("outcome unknown").await else { return };
    let (cutter, tables) = through(&home, Cut::AfterCommit).await;
    let shut = async {
        // Whoever connects from now on is refused by the server.
        let database = &home.database;
        database.on_cluster(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS FALSE", database.name)).await;
        cutter.arm();
    };
    let error = commit(&tables, shut).await.unwrap_err();
    assert!(matches!(error, CommitError::Unknown), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_ended_is_unavailable_and_replaced() {
    let Some(home) = home("terminated").await else { return };
    let mut rows = home.tables.write(&Workspace::default()).await.unwrap();
    rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    home.database.execute(kill).await.unwrap();
    let error = rows.put_meta(Meta::default()).await.unwrap_err();
    assert!(matches!(error, TablesError::Unavailable(_)), "{error:?}");
    assert!(matches!(rows.commit().await, Err(CommitError::NotCommitted(_))));
    assert_eq!(revision(&home).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_waits_too_long_is_told_so() {
    let Some(home) = home("lock").await else { return };
    let config = Config { lock_timeout: Duration::from_millis(50), ..home.database.config() };
    let tables = Postgres::open(config).await.unwrap();
    let held = home.tables.write(&Workspace::default()).await.unwrap();
    let answer = tables.write(&Workspace::default()).await;
    assert!(matches!(answer, Err(TablesError::Unavailable(_))));
    drop(held);
    // Once the rollback is through, which nobody announces, there is nothing to wait for.
    home.tables.write(&Workspace::default()).await.unwrap().commit().await.unwrap();
    tables.write(&Workspace::default()).await.unwrap().commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_unavailable() {
    let Some(home) = home("statement").await else { return };
    let config = Config { statement_timeout: Duration::from_millis(100), ..home.database.config() };
    let tables = Postgres::open(config).await.unwrap();
    let mut stranger = home.database.connect().await;
    stranger.execute("BEGIN; LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut rows = tables.read(&Workspace::default()).await.unwrap();
    let error = rows.secrets().await.unwrap_err();
    assert!(matches!(error, TablesError::Unavailable(_)), "{error:?}");
}
