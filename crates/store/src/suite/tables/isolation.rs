//! Transactions: all or nothing, one writer, snapshots, wake-ups, the end.

use std::{future::Future, task::Poll, time::Duration};

use tokio::task::JoinSet;

use super::{Home, reader, sample, workspace, writer};
use crate::tables::{CommitError, Meta, TablesError};

/// A generous bound on waiting for what must come.
const BOUND: Duration = Duration::from_mins(1);

/// Without `commit` nothing happened, and the next writer is not kept waiting.
pub async fn a_transaction_that_is_dropped_leaves_nothing(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
    drop(rows);
    let mut rows = writer(home).await;
    assert_eq!(rows.meta().await.unwrap(), Meta::default());
    assert!(rows.secrets().await.unwrap().is_empty());
    assert!(rows.endpoints().await.unwrap().is_empty());
}

/// After a statement that failed there is no way on: no other statement, and no commit of what came before.
pub async fn a_transaction_that_failed_leaves_nothing(home: &impl Home) {
    let mut rows = writer(home).await;
    rows.put_secret(&sample::secret("s-1", "key")).await.unwrap();
    assert!(rows.put_secret(&sample::secret("s-2", "key")).await.is_err());
    assert!(rows.put_secret(&sample::secret("s-3", "other")).await.is_err());
    assert!(rows.secrets().await.is_err());
    assert!(matches!(rows.commit().await, Err(CommitError::NotCommitted(_))));
    assert!(reader(home).await.secrets().await.unwrap().is_empty());
    let mut rows = writer(home).await;
    rows.put_secret(&sample::secret("s-2", "key")).await.unwrap();
    rows.commit().await.unwrap();
}

/// A caller that goes away in the middle of a statement: its transaction is over, the tables are not.
pub async fn a_call_that_is_cancelled_leaves_nothing(home: &impl Home) {
    let mut rows = writer(home).await;
    rows.put_secret(&sample::secret("s-1", "key")).await.unwrap();
    poll_once_and_drop(rows.put_secret(&sample::secret("s-2", "other"))).await;
    drop(rows);
    poll_once_and_drop(home.tables().write(&workspace())).await;
    poll_once_and_drop(home.tables().read(&workspace())).await;
    let mut rows = writer(home).await;
    assert!(rows.secrets().await.unwrap().is_empty());
    rows.put_secret(&sample::secret("s-3", "key")).await.unwrap();
    rows.commit().await.unwrap();
    assert_eq!(reader(home).await.secrets().await.unwrap().len(), 1);
}

async fn poll_once_and_drop<T>(call: impl Future<Output = T>) {
    let mut call = Box::pin(call);
    std::future::poll_fn(|context| {
        drop(call.as_mut().poll(context));
        Poll::Ready(())
    })
    .await;
}

/// From its first statement on a snapshot shows one moment, in every table.
pub async fn a_snapshot_does_not_move(home: &impl Home) {
    let mut before = reader(home).await;
    assert_eq!(before.meta().await.unwrap().revision, 0);
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
    rows.commit().await.unwrap();

    assert_eq!(before.meta().await.unwrap().revision, 0);
    assert!(before.secrets().await.unwrap().is_empty());
    assert!(before.endpoint_by_name("chat").await.unwrap().is_none());
    let mut after = reader(home).await;
    assert_eq!(after.meta().await.unwrap().revision, 1);
    assert_eq!(after.secrets().await.unwrap().len(), 1);
    assert!(before.tags(None).await.unwrap().is_empty());
}

/// A transaction that is open, with changes, is in nobody's way who reads, and shows nothing.
pub async fn a_reader_does_not_wait_for_a_writer(home: &impl Home) {
    let mut rows = writer(home).await;
    sample::put_family(rows.as_mut()).await;
    let mut outside = reader(home).await;
    assert!(outside.secrets().await.unwrap().is_empty());
    assert_eq!(rows.secrets().await.unwrap().len(), 1);
    rows.commit().await.unwrap();
    assert!(outside.secrets().await.unwrap().is_empty());
    assert_eq!(reader(home).await.secrets().await.unwrap().len(), 1);
}

/// Each of many that read, add one and write sees the one before it: no change is lost.
pub async fn writers_take_turns(home: &impl Home) {
    const WRITERS: i64 = 16;
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let tables = home.tables();
        writers.spawn(async move {
            let mut rows = tables.write(&workspace()).await.unwrap();
            let meta = rows.meta().await.unwrap();
            // Room for another to come in between, if it could.
            tokio::task::yield_now().await;
            rows.append_change(&sample::change(meta.revision + 1, "e-1")).await.unwrap();
            rows.put_meta(Meta { revision: meta.revision + 1, ..meta }).await.unwrap();
            rows.commit().await.unwrap();
        });
    }
    writers.join_all().await;
    let mut rows = reader(home).await;
    assert_eq!(rows.meta().await.unwrap().revision, WRITERS);
    let revisions: Vec<_> =
        rows.changes_since(0, 99).await.unwrap().into_iter().map(|row| row.revision).collect();
    assert_eq!(revisions, (1..=WRITERS).collect::<Vec<_>>());
}

/// Whoever waits is woken by a commit of this process, and finds it.
pub async fn a_commit_wakes(home: &impl Home) {
    let mut wakes = home.tables().wakes();
    let seen = *wakes.borrow_and_update();
    // What `wait_for` gives back locks the value: it must be gone before the commit wakes once more.
    let waiting = async {
        tokio::time::timeout(BOUND, wakes.wait_for(|count| *count != seen)).await.unwrap().map(drop)
    };
    let commit = async {
        let mut rows = writer(home).await;
        rows.put_meta(Meta { revision: 1, ..Meta::default() }).await.unwrap();
        rows.commit().await.unwrap();
    };
    let (woken, ()) = tokio::join!(waiting, commit);
    woken.unwrap();
    assert_eq!(reader(home).await.meta().await.unwrap().revision, 1);
}

/// After the end every call says that the database is not available, at once, and a second end is none.
pub async fn closed_tables_are_not_available(home: &impl Home) {
    let tables = home.tables();
    let mut rows = writer(home).await;
    rows.put_secret(&sample::secret("s-1", "key")).await.unwrap();
    rows.commit().await.unwrap();
    tables.close().await;
    tables.close().await;
    assert!(matches!(tables.read(&workspace()).await, Err(TablesError::Unavailable(_))));
    assert!(matches!(tables.write(&workspace()).await, Err(TablesError::Unavailable(_))));
    let watcher = sample::watcher("edge", "edge-1", 1);
    let answer = tables.note_watcher(&workspace(), &watcher).await;
    assert!(matches!(answer, Err(TablesError::Unavailable(_))));
}
