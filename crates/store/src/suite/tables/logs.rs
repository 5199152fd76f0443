//! The change log, the audit log, the list of watchers.

use names::Workspace;

use super::{Home, reader, sample, workspace, writer};
use crate::tables::{ChangeKind, ChangeRow, Meta, WatcherRow};

async fn append_changes(home: &impl Home) -> Vec<ChangeRow> {
    let changes = vec![
        sample::change(1, "e-2"),
        ChangeRow { kind: ChangeKind::Vault, provider: "gemini".to_owned(), ..sample::change(1, "m-1") },
        sample::change(1, "e-1"),
        sample::change(2, "e-1"),
        sample::change(3, "e-1"),
    ];
    let mut rows = writer(home).await;
    for change in &changes {
        rows.append_change(change).await.unwrap();
    }
    rows.commit().await.unwrap();
    changes
}

/// By revision, within one in the order in which they were appended; above a revision, up to a limit.
pub async fn the_change_log_is_read_in_order(home: &impl Home) {
    let changes = append_changes(home).await;
    let mut rows = reader(home).await;
    assert_eq!(rows.changes_since(0, 99).await.unwrap(), changes);
    assert_eq!(rows.changes_since(0, 2).await.unwrap(), changes[..2]);
    assert_eq!(rows.changes_since(1, 99).await.unwrap(), changes[3..]);
    assert!(rows.changes_since(3, 99).await.unwrap().is_empty());
}

/// What lies above `meta.change_floor` stays; what lies below goes, in every workspace.
pub async fn the_change_log_is_trimmed_to_its_floor(home: &impl Home) {
    let changes = append_changes(home).await;
    let other = Workspace::parse("other").unwrap();
    let mut rows = home.tables().write(&other).await.unwrap();
    rows.append_change(&sample::change(1, "e-9")).await.unwrap();
    rows.append_change(&sample::change(4, "e-9")).await.unwrap();
    rows.commit().await.unwrap();

    let mut rows = writer(home).await;
    rows.trim_changes().await.unwrap();
    assert_eq!(rows.changes_since(0, 99).await.unwrap(), changes, "the floor is 0");
    rows.put_meta(Meta { change_floor: 2, ..Meta::default() }).await.unwrap();
    rows.trim_changes().await.unwrap();
    rows.commit().await.unwrap();
    assert_eq!(reader(home).await.changes_since(0, 99).await.unwrap(), changes[4..]);
    let mut rows = home.tables().read(&other).await.unwrap();
    assert_eq!(rows.changes_since(0, 99).await.unwrap(), [sample::change(4, "e-9")]);
}

/// The database itself refuses, also a hand that goes past the tables.
pub async fn the_change_log_refuses_changes(home: &impl Home) {
    let changes = append_changes(home).await;
    assert_refused(home.tamper("DELETE FROM change_log").await);
    assert_refused(home.tamper("DELETE FROM change_log WHERE revision = 3").await);
    assert_refused(home.tamper("UPDATE change_log SET key = 'x' WHERE revision = 1").await);
    assert_eq!(reader(home).await.changes_since(0, 99).await.unwrap(), changes);
}

/// As the change log; and there is no floor.
pub async fn the_audit_log_refuses_changes(home: &impl Home) {
    let mut rows = writer(home).await;
    rows.append_audit(&sample::audit(0, "s-1")).await.unwrap();
    rows.put_meta(Meta { revision: 9, change_floor: 9, ..Meta::default() }).await.unwrap();
    rows.commit().await.unwrap();
    assert_refused(home.tamper("DELETE FROM audit").await);
    assert_refused(home.tamper("UPDATE audit SET actor = NULL").await);
    assert_eq!(reader(home).await.audit_since(0, 9).await.unwrap(), [sample::audit(1, "s-1")]);
}

#[track_caller]
fn assert_refused(answer: Result<(), String>) {
    let message = answer.unwrap_err();
    assert!(message.contains("is refused"), "{message}");
}

/// From 1, one by one, also after a transaction that came to nothing; what the row itself says does not count.
pub async fn the_audit_log_counts_without_gaps(home: &impl Home) {
    let mut rows = writer(home).await;
    rows.append_audit(&sample::audit(0, "s-1")).await.unwrap();
    rows.append_audit(&sample::audit(77, "s-2")).await.unwrap();
    rows.commit().await.unwrap();
    let mut rows = writer(home).await;
    rows.append_audit(&sample::audit(0, "s-3")).await.unwrap();
    drop(rows);
    let mut rows = writer(home).await;
    rows.append_audit(&sample::audit(0, "s-4")).await.unwrap();
    rows.commit().await.unwrap();

    let all = [sample::audit(1, "s-1"), sample::audit(2, "s-2"), sample::audit(3, "s-4")];
    let mut rows = reader(home).await;
    assert_eq!(rows.audit_since(0, 99).await.unwrap(), all);
    assert_eq!(rows.audit_since(1, 1).await.unwrap(), all[1..2]);
    assert!(rows.audit_since(3, 99).await.unwrap().is_empty());
    assert_eq!(rows.last_audit().await.unwrap().as_ref(), all.last());
}

/// By role, replica and provider; a second note is an update; no revision is counted.
pub async fn watchers_are_noted_and_forgotten(home: &impl Home) {
    let tables = home.tables();
    let here = workspace();
    let edge = sample::watcher("edge", "edge-1", 100);
    let forwarder = WatcherRow { provider: "gemini".to_owned(), ..sample::watcher("forwarder", "f-1", 200) };
    let later = WatcherRow { revision: 6, seen_at: 300, ..edge.clone() };
    tables.note_watcher(&here, &forwarder).await.unwrap();
    tables.note_watcher(&here, &edge).await.unwrap();
    assert_eq!(reader(home).await.watchers(101).await.unwrap(), std::slice::from_ref(&forwarder));
    tables.note_watcher(&here, &later).await.unwrap();
    assert_eq!(reader(home).await.watchers(200).await.unwrap(), [later.clone(), forwarder.clone()]);
    assert_eq!(reader(home).await.meta().await.unwrap(), Meta::default());

    let mut rows = writer(home).await;
    rows.trim_watchers(300).await.unwrap();
    assert_eq!(rows.watchers(0).await.unwrap(), std::slice::from_ref(&later));
    rows.commit().await.unwrap();
    tables.forget_watcher(&here, &forwarder).await.unwrap();
    tables.forget_watcher(&here, &later).await.unwrap();
    assert!(reader(home).await.watchers(0).await.unwrap().is_empty());
}
