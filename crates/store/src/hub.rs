//! Who watches, in this process and through other replicas of the store, and how far each of them is.
//!
//! Watchers of this process are known from memory, at once; those of other replicas from their rows, which every
//! acknowledgement writes and which are looked at while somebody waits.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Position, Role, StoreError, Watcher,
    store::Inner,
    tables::{WatcherRow, convert},
};

/// The most watches that one store serves at a time.
const WATCHES_MAX: usize = 4_096;
/// How often to look for acknowledgements that went through other replicas, while somebody waits for them.
const LOOK: Duration = Duration::from_millis(50);

/// The watchers of this process.
#[derive(Default)]
pub(crate) struct Hub {
    present: Mutex<HashMap<Watcher, Present>>,
    sessions: AtomicU64,
    /// Counts acknowledgements and goodbyes, to wake who waits for them.
    moved: watch::Sender<u64>,
    /// Ends every watch.
    pub(crate) stop: CancellationToken,
    goodbyes: TaskTracker,
}

struct Present {
    session: u64,
    /// Empty for an edge, as in its row.
    provider: String,
    applied: Option<Position>,
    seen: Instant,
}

impl Hub {
    fn note(&self, watcher: &Watcher, position: Position) -> Option<String> {
        let mut present = self.present.lock();
        let known = present.get_mut(watcher)?;
        known.applied = Some(position);
        known.seen = Instant::now();
        Some(known.provider.clone())
    }

    /// False: somebody else goes by this name by now.
    fn leave(&self, watcher: &Watcher, session: u64) -> bool {
        let mut present = self.present.lock();
        let own = present.get(watcher).is_some_and(|known| known.session == session);
        if own {
            present.remove(watcher);
        }
        own
    }

    fn moved(&self) {
        self.moved.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Ends every watch, and waits until their rows are gone.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.goodbyes.close();
        self.goodbyes.wait().await;
    }
}

// === impl Presence ===

/// A watcher is there for as long as this is.
pub(crate) struct Presence {
    inner: Arc<Inner>,
    watcher: Watcher,
    provider: String,
    session: u64,
}

impl Presence {
    pub(crate) async fn enter(
        inner: &Arc<Inner>,
        watcher: Watcher,
        provider: String,
        from: Option<Position>,
    ) -> Result<Self, StoreError> {
        let session = inner.hub.sessions.fetch_add(1, Ordering::Relaxed);
        {
            let mut present = inner.hub.present.lock();
            if present.len() >= WATCHES_MAX {
                tracing::warn!(watches.max = WATCHES_MAX, "refused a watch: there are too many");
                return Err(StoreError::Unavailable);
            }
            let known = Present { session, provider: provider.clone(), applied: from, seen: Instant::now() };
            present.insert(watcher.clone(), known);
        }
        let presence = Self { inner: Arc::clone(inner), watcher, provider, session };
        let row = inner.watcher_row(&presence.watcher, &presence.provider, from.unwrap_or_default());
        inner.tables.note_watcher(&inner.settings.workspace, &row).await?;
        Ok(presence)
    }

    pub(crate) fn watcher(&self) -> &Watcher {
        &self.watcher
    }
}

impl Drop for Presence {
    /// Says goodbye: nobody waits for a watcher whose stream ended. One that only lost its connection comes back, and
    /// is then told first of what it missed.
    fn drop(&mut self) {
        if !self.inner.hub.leave(&self.watcher, self.session) {
            return;
        }
        self.inner.hub.moved();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (inner, watcher) = (Arc::clone(&self.inner), self.watcher.clone());
        let row = inner.watcher_row(&watcher, &self.provider, Position::default());
        let goodbye = async move {
            if inner.hub.present.lock().contains_key(&watcher) {
                return;
            }
            // A row that stays is not waited for any longer than `live_within`.
            if let Err(error) = inner.tables.forget_watcher(&inner.settings.workspace, &row).await {
                tracing::debug!(cause = error.to_string(), "a watcher's row stays");
            }
            inner.hub.moved();
        };
        self.inner.hub.goodbyes.spawn_on(goodbye, &runtime);
    }
}

// === impl Inner ===

impl Inner {
    /// A watcher serves the state of `position` now.
    pub(crate) async fn acknowledged(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        let provider = self.hub.note(watcher, position);
        self.hub.moved();
        let provider = match provider {
            Some(provider) => provider,
            // It watches through another replica, which noted its provider.
            None => match self.provider_of(watcher).await? {
                Some(provider) => provider,
                None => return Ok(()),
            },
        };
        let row = self.watcher_row(watcher, &provider, position);
        Ok(self.tables.note_watcher(&self.settings.workspace, &row).await?)
    }

    /// Waits up to `apply_wait_max` until every live watcher has applied `revision`. Returns those that have not.
    pub(crate) async fn applied(&self, revision: u64) -> Vec<Watcher> {
        let late = self.reached(revision, None, self.settings.apply_wait_max).await;
        if !late.is_empty() {
            let names: Vec<_> = late.iter().map(ToString::to_string).collect();
            tracing::warn!(revision, watchers = names.join(","), "watchers have not applied a change");
        }
        late
    }

    /// Waits up to `within` until every live watcher (of this role) has applied `revision`. Returns those that have not.
    pub(crate) async fn reached(&self, revision: u64, role: Option<Role>, within: Duration) -> Vec<Watcher> {
        let until = Instant::now() + within;
        let mut moved = self.hub.moved.subscribe();
        loop {
            moved.borrow_and_update();
            let late = self.late(revision, role).await;
            let now = Instant::now();
            if late.is_empty() || now >= until || self.hub.stop.is_cancelled() {
                return late;
            }
            // Whichever comes first; the sender lives in the hub, so it does not fail.
            let _ = tokio::time::timeout_at(until.min(now + LOOK), moved.changed()).await;
        }
    }

    async fn late(&self, revision: u64, role: Option<Role>) -> Vec<Watcher> {
        // The change is committed: that others cannot be asked for is no reason to fail, nor to name nobody.
        let (epoch, rows) = match self.seen().await {
            Ok((epoch, rows)) => (Some(epoch), rows),
            Err(_) => (None, Vec::new()),
        };
        let reached = |applied: Position| {
            epoch.is_none_or(|epoch| epoch == applied.epoch) && applied.revision >= revision
        };
        let live = Instant::now().checked_sub(self.settings.live_within);
        let present = self.hub.present.lock();
        let mut late = BTreeSet::new();
        for (watcher, known) in present.iter() {
            let lives = live.is_none_or(|live| known.seen >= live);
            if lives && !known.applied.is_some_and(reached) {
                late.insert(watcher.clone());
            }
        }
        for (watcher, applied) in rows {
            if !present.contains_key(&watcher) && !reached(applied) {
                late.insert(watcher);
            }
        }
        late.into_iter().filter(|watcher| role.is_none_or(|role| watcher.role == role)).collect()
    }

    /// The epoch, and what all live watchers of all replicas have applied.
    async fn seen(&self) -> Result<(u64, Vec<(Watcher, Position)>), StoreError> {
        let mut rows = self.read().await?;
        let epoch = convert::position(rows.meta().await?)?.epoch;
        let seen = rows.watchers(self.live_since()).await?;
        Ok((epoch, seen.iter().map(watcher_of).collect::<Result<_, _>>()?))
    }

    async fn provider_of(&self, watcher: &Watcher) -> Result<Option<String>, StoreError> {
        if watcher.role != Role::Forwarder {
            return Ok(Some(String::new()));
        }
        let rows = self.read().await?.watchers(self.live_since()).await?;
        let own = |row: &WatcherRow| row.role == role_column(watcher.role) && row.replica == watcher.replica;
        Ok(rows.into_iter().find(own).map(|row| row.provider))
    }

    fn live_since(&self) -> i64 {
        let live_within = i64::try_from(self.settings.live_within.as_millis()).unwrap_or(i64::MAX);
        self.clock.now_ms().saturating_sub(live_within)
    }

    fn watcher_row(&self, watcher: &Watcher, provider: &str, applied: Position) -> WatcherRow {
        WatcherRow {
            role: role_column(watcher.role).to_owned(),
            replica: watcher.replica.clone(),
            provider: provider.to_owned(),
            epoch: convert::to_column(applied.epoch),
            revision: convert::to_column(applied.revision),
            seen_at: self.clock.now_ms(),
        }
    }
}

fn watcher_of(row: &WatcherRow) -> Result<(Watcher, Position), convert::Garbled> {
    let roles = [Role::Edge, Role::Forwarder, Role::Callers];
    let role = roles.into_iter().find(|role| role_column(*role) == row.role).ok_or(convert::Garbled::Word)?;
    let watcher = Watcher { role, replica: row.replica.clone() };
    Ok((
        watcher,
        Position { epoch: convert::revision(row.epoch)?, revision: convert::revision(row.revision)? },
    ))
}

const fn role_column(role: Role) -> &'static str {
    match role {
        Role::Edge => "edge",
        Role::Forwarder => "forwarder",
        Role::Callers => "callers",
    }
}
