//! Wake-ups from other processes.

use std::time::Duration;

use names::Workspace;
use store::{Tables as _, tables::Meta};
use store_postgres::Postgres;

use crate::home::home;

/// A generous bound on waiting for what must come.
const BOUND: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_another_process_wakes() {
    let Some(home) = home("wake").await else { return };
    // As another store on the same database has it.
    let other = Postgres::open(home.database.config()).await.unwrap();
    let mut wakes = other.wakes();
    // The first wake-up says that it listens from now on: no commit after it is missed.
    tokio::time::timeout(BOUND, wakes.wait_for(|count| *count > 0)).await.unwrap().unwrap();
    let seen = *wakes.borrow_and_update();

    let mut rows = home.tables.write(&Workspace::default()).await.unwrap();
    rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
    rows.commit().await.unwrap();
    tokio::time::timeout(BOUND, wakes.wait_for(|count| *count != seen)).await.unwrap().unwrap();
    let mut rows = other.read(&Workspace::default()).await.unwrap();
    assert_eq!(rows.meta().await.unwrap().revision, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_listens_again_after_its_connection_was_lost() {
    let Some(home) = home("listen again").await else { return };
    let mut wakes = home.tables.wakes();
    tokio::time::timeout(BOUND, wakes.wait_for(|count| *count > 0)).await.unwrap().unwrap();
    let seen = *wakes.borrow_and_update();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'";
    home.database.execute(kill).await.unwrap();
    tokio::time::timeout(BOUND, wakes.wait_for(|count| *count != seen)).await.unwrap().unwrap();
}
