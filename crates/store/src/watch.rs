//! One running watch: a snapshot or deltas from the change log, then news as it comes, and heartbeats in between.

mod callers;
mod catalog;
mod vault;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    vec,
};

use futures_util::{StreamExt as _, stream};
use tokio::{sync::watch, time::Instant};

use crate::{
    Keyed, Position, Role, StoreError, Update, Updates, Watcher,
    hub::Presence,
    store::Inner,
    tables::{ChangeRow, Meta, Read, convert},
};

/// The longest name of a replica, in characters.
const REPLICA_MAX: usize = 128;
/// The most rows of the change log that are read for one delta; where there are more, a snapshot is less work.
const CHANGES_MAX: i64 = 10_000;

/// What is pushed to one kind of watcher, and how it comes out of the tables.
#[async_trait::async_trait]
trait Scope: Send + Sync + 'static {
    /// What is pushed.
    type Item: Keyed;
    /// What an item is made from.
    type Row: Send + Sync + 'static;

    /// Who watches it.
    const ROLE: Role;

    /// Whether a line of the change log is about one of these items.
    fn concerns(&self, change: &ChangeRow) -> bool;
    /// How many items there are.
    async fn count(&self, rows: &mut dyn Read) -> Result<usize, StoreError>;
    /// All of them, by key.
    async fn all(&self, rows: &mut dyn Read) -> Result<Vec<(String, Self::Row)>, StoreError>;
    /// The one of this key, if it is there (still).
    async fn one(&self, rows: &mut dyn Read, key: &str) -> Result<Option<Self::Row>, StoreError>;
    /// The item. Fails where its row was tampered with; the cause is in the log then.
    fn item(&self, inner: &Inner, watcher: &Watcher, row: &Self::Row) -> Result<Self::Item, StoreError>;
    /// Before these are handed to the watcher.
    async fn handing(
        &self,
        _inner: &Inner,
        _watcher: &Watcher,
        _at: Position,
        _items: &[Self::Item],
    ) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Session<S: Scope> {
    inner: Arc<Inner>,
    scope: S,
    presence: Presence,
    wakes: watch::Receiver<u64>,
    /// Up to where the watcher was told.
    told: Option<Position>,
    unfinished: Unfinished<S>,
    /// Keys of items that could not be made: the watcher cannot hold them.
    left_out: HashSet<String>,
    heartbeat_at: Instant,
}

/// What is left of something that takes several updates.
enum Unfinished<S: Scope> {
    Nothing,
    Snapshot(Position, vec::IntoIter<(String, S::Row)>),
    Delta(Position, vec::IntoIter<S::Item>, Vec<String>),
    /// Removals that a forwarder is told once edges have left them.
    Removals(Position, Vec<String>),
}

/// Begins a watch.
async fn begin<S: Scope>(
    inner: &Arc<Inner>,
    scope: S,
    watcher: Watcher,
    provider: String,
    from: Option<Position>,
) -> Result<Updates<S::Item>, StoreError> {
    check(&watcher, S::ROLE)?;
    if inner.hub.stop.is_cancelled() {
        return Err(StoreError::Unavailable);
    }
    let session = Session {
        presence: Presence::enter(inner, watcher, provider, from).await?,
        inner: Arc::clone(inner),
        scope,
        wakes: inner.tables.wakes(),
        told: from,
        unfinished: Unfinished::Nothing,
        left_out: HashSet::new(),
        // At once where the watcher goes on from what it has: it may have been told of more than it kept.
        heartbeat_at: Instant::now(),
    };
    let updates = stream::unfold(Some(session), |session| async {
        let mut session = session?;
        let update = session.next().await;
        // An error is the last thing that is said.
        let rest = update.is_ok().then_some(session);
        Some((update, rest))
    });
    Ok(updates.boxed())
}

fn check(watcher: &Watcher, role: Role) -> Result<(), StoreError> {
    let replica = &watcher.replica;
    if watcher.role != role {
        return Err(StoreError::Invalid("watcher.role is not that of this watch".to_owned()));
    }
    if replica.is_empty()
        || replica.chars().count() > REPLICA_MAX
        || replica.chars().any(|character| character.is_control() || character == ',')
    {
        return Err(StoreError::Invalid(format!(
            "watcher.replica must be 1 to {REPLICA_MAX} characters that can be shown, without commas"
        )));
    }
    Ok(())
}

impl<S: Scope> Session<S> {
    async fn next(&mut self) -> Result<Update<S::Item>, StoreError> {
        loop {
            if let Some(update) = self.go_on().await? {
                return Ok(update);
            }
            self.wakes.borrow_and_update();
            if let Some(update) = self.look().await? {
                return Ok(update);
            }
            self.wait().await?;
        }
    }

    /// The next step of what was begun.
    async fn go_on(&mut self) -> Result<Option<Update<S::Item>>, StoreError> {
        match std::mem::replace(&mut self.unfinished, Unfinished::Nothing) {
            Unfinished::Nothing => Ok(None),
            Unfinished::Removals(position, removed) => {
                let within = self.inner.settings.order_wait_max;
                self.inner.reached(position.revision, Some(Role::Edge), within).await;
                Ok(Some(Update::Delta { position, upserts: Vec::new(), removed }))
            }
            Unfinished::Delta(position, upserts, removed) => Ok(Some(self.piece(position, upserts, removed))),
            Unfinished::Snapshot(position, rows) => self.part(position, rows).await.map(Some),
        }
    }

    /// The next part of a snapshot; what is secret in it is sealed only now.
    async fn part(
        &mut self,
        position: Position,
        mut rows: vec::IntoIter<(String, S::Row)>,
    ) -> Result<Update<S::Item>, StoreError> {
        let part: Vec<_> = rows.by_ref().take(self.inner.settings.part.max(1)).collect();
        if part.is_empty() {
            self.told = Some(position);
            self.heartbeat_at = Instant::now() + self.inner.settings.heartbeat;
            return Ok(Update::SnapshotEnd(position));
        }
        let mut items = Vec::with_capacity(part.len());
        for (key, row) in part {
            items.extend(self.item(&key, &row));
        }
        self.unfinished = Unfinished::Snapshot(position, rows);
        self.scope.handing(&self.inner, self.presence.watcher(), position, &items).await?;
        Ok(Update::SnapshotPart(items))
    }

    /// The next piece of a delta. Only the last brings the watcher to the new position.
    fn piece(
        &mut self,
        position: Position,
        mut upserts: vec::IntoIter<S::Item>,
        removed: Vec<String>,
    ) -> Update<S::Item> {
        let piece: Vec<_> = upserts.by_ref().take(self.inner.settings.part.max(1)).collect();
        if upserts.len() > 0 {
            self.unfinished = Unfinished::Delta(position, upserts, removed);
            let position = self.told.unwrap_or_default();
            return Update::Delta { position, upserts: piece, removed: Vec::new() };
        }
        self.told = Some(position);
        if S::ROLE != Role::Forwarder || removed.is_empty() {
            return Update::Delta { position, upserts: piece, removed };
        }
        // Edges first: what they still use must not be gone. Should the removals get lost with the connection, the
        // heartbeat at the start of the next watch tells of it.
        self.unfinished = Unfinished::Removals(position, removed);
        Update::Delta { position, upserts: piece, removed: Vec::new() }
    }

    /// What the database has to say, if anything.
    async fn look(&mut self) -> Result<Option<Update<S::Item>>, StoreError> {
        let mut rows = self.inner.read().await?;
        let meta = rows.meta().await?;
        let position = convert::position(meta)?;
        if self.told == Some(position) {
            if Instant::now() < self.heartbeat_at {
                return Ok(None);
            }
            self.heartbeat_at = Instant::now() + self.inner.settings.heartbeat;
            let items = self.scope.count(rows.as_mut()).await?.saturating_sub(self.left_out.len());
            return Ok(Some(Update::Heartbeat { position, items: items as u64 }));
        }
        if let Some(keys) = self.changed(rows.as_mut(), meta, position).await? {
            return self.delta(rows, position, keys).await.map(Some);
        }
        self.left_out.clear();
        let all = self.scope.all(rows.as_mut()).await?;
        self.unfinished = Unfinished::Snapshot(position, all.into_iter());
        Ok(Some(Update::SnapshotBegin))
    }

    /// Keys of items that may look different since the watcher was told; none: it needs a snapshot.
    async fn changed(
        &self,
        rows: &mut dyn Read,
        meta: Meta,
        position: Position,
    ) -> Result<Option<BTreeSet<String>>, StoreError> {
        let Some(told) = self.told.filter(|told| told.epoch == position.epoch) else { return Ok(None) };
        let Some(behind) = position.revision.checked_sub(told.revision) else { return Ok(None) };
        let revision = convert::to_column(told.revision);
        if behind > self.inner.settings.delta_max || revision < meta.change_floor {
            return Ok(None);
        }
        let changes = rows.changes_since(revision, CHANGES_MAX).await?;
        if i64::try_from(changes.len()).is_ok_and(|length| length >= CHANGES_MAX) {
            return Ok(None);
        }
        let changes = changes.into_iter().filter(|change| self.scope.concerns(change));
        Ok(Some(changes.map(|change| change.key).collect()))
    }

    /// A change without news for this watcher is told too: it acknowledges every revision.
    async fn delta(
        &mut self,
        mut rows: Box<dyn Read>,
        position: Position,
        keys: BTreeSet<String>,
    ) -> Result<Update<S::Item>, StoreError> {
        let (mut upserts, mut removed) = (Vec::new(), Vec::new());
        for key in keys {
            let row = self.scope.one(rows.as_mut(), &key).await?;
            match row.and_then(|row| self.item(&key, &row)) {
                Some(item) => upserts.push(item),
                None => removed.push(key),
            }
        }
        drop(rows);
        self.scope.handing(&self.inner, self.presence.watcher(), position, &upserts).await?;
        if S::ROLE == Role::Edge && !upserts.is_empty() {
            // Forwarders first: an edge that knows a target uses it.
            let within = self.inner.settings.order_wait_max;
            self.inner.reached(position.revision, Some(Role::Forwarder), within).await;
        }
        Ok(self.piece(position, upserts.into_iter(), removed))
    }

    /// One item that cannot be made does not keep the others from the watcher.
    fn item(&mut self, key: &str, row: &S::Row) -> Option<S::Item> {
        let Ok(item) = self.scope.item(&self.inner, self.presence.watcher(), row) else {
            tracing::error!(item.key = key, "an item is left out of what is published");
            self.left_out.insert(key.to_owned());
            return None;
        };
        self.left_out.remove(key);
        Some(item)
    }

    /// Until there may be news.
    async fn wait(&mut self) -> Result<(), StoreError> {
        let at = self.heartbeat_at.min(Instant::now() + self.inner.settings.poll);
        tokio::select! {
            () = self.inner.hub.stop.cancelled() => Err(StoreError::Unavailable),
            woken = self.wakes.changed() => woken.map_err(|_| StoreError::Unavailable),
            () = tokio::time::sleep_until(at) => Ok(()),
        }
    }
}
