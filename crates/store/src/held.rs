//! Pushed state in memory: one hash look-up a request, replaced as a whole at every change.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{Position, Update, publish::Keyed};

/// What is held of one kind of item. Cheap to share; readers never wait.
#[derive(Debug)]
pub struct Held<T> {
    state: ArcSwap<State<T>>,
    position: watch::Sender<Option<Position>>,
}

#[derive(Debug)]
struct State<T> {
    position: Option<Position>,
    by_key: HashMap<String, Arc<T>>,
    by_name: HashMap<String, Arc<T>>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { position: None, by_key: HashMap::new(), by_name: HashMap::new() }
    }
}

impl<T: Keyed> Default for Held<T> {
    fn default() -> Self {
        Self { state: ArcSwap::default(), position: watch::Sender::new(None) }
    }
}

impl<T: Keyed> Held<T> {
    /// The item of that name, as a request looks it up.
    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        self.state.load().by_name.get(name).cloned()
    }

    /// Every item, ordered by name.
    pub fn all(&self) -> Vec<Arc<T>> {
        let state = self.state.load();
        let mut items: Vec<_> = state.by_name.values().cloned().collect();
        items.sort_by(|a, b| a.name().cmp(b.name()));
        items
    }

    /// How many items are held.
    pub fn len(&self) -> usize {
        self.state.load().by_key.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position that was reached; none before the first snapshot is complete.
    pub fn position(&self) -> Option<Position> {
        self.state.load().position
    }

    /// The revision that was reached, 0 before the first snapshot.
    pub fn revision(&self) -> u64 {
        self.position().map_or(0, |position| position.revision)
    }

    /// Tells of every new position.
    pub fn positions(&self) -> watch::Receiver<Option<Position>> {
        self.position.subscribe()
    }

    /// Replaces everything.
    pub fn replace(&self, position: Position, items: impl IntoIterator<Item = T>) {
        let mut state = State { position: Some(position), ..State::default() };
        for item in items {
            state.insert(Arc::new(item));
        }
        self.publish(state);
    }

    /// Applies changes on top of what is held.
    pub fn change(&self, position: Position, upserts: Vec<T>, removed: &[String]) {
        let current = self.state.load();
        let mut state = State {
            position: Some(position),
            by_key: current.by_key.clone(),
            by_name: current.by_name.clone(),
        };
        for key in removed {
            state.remove(key);
        }
        for item in upserts {
            state.remove(item.key());
            state.insert(Arc::new(item));
        }
        self.publish(state);
    }

    fn publish(&self, state: State<T>) {
        let position = state.position;
        self.state.store(Arc::new(state));
        self.position.send_replace(position);
    }
}

impl<T: Keyed> State<T> {
    fn insert(&mut self, item: Arc<T>) {
        self.by_name.insert(item.name().to_owned(), Arc::clone(&item));
        self.by_key.insert(item.key().to_owned(), item);
    }

    fn remove(&mut self, key: &str) {
        let Some(old) = self.by_key.remove(key) else { return };
        // A name may have moved to another item within one delta: take it away only from its own holder.
        if self.by_name.get(old.name()).is_some_and(|holder| holder.key() == key) {
            self.by_name.remove(old.name());
        }
    }
}

/// Collects the parts of a watch into calls of [`Held`]; what to do with one update.
#[derive(Debug)]
pub struct Gathering<T> {
    parts: Option<Vec<T>>,
    /// Keys of items that did not open: the store counts them.
    left_out: HashSet<String>,
}

impl<T> Default for Gathering<T> {
    fn default() -> Self {
        Self { parts: None, left_out: HashSet::new() }
    }
}

/// What one update led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Nothing to see yet, or nothing new.
    Nothing,
    /// This position is served now: acknowledge it.
    Reached(Position),
    /// What is held is not what the store says it should be: subscribe anew, from nothing.
    Drifted,
}

impl<T: Keyed> Gathering<T> {
    /// Applies one update to `held`, opening each item by `open`; an item that does not open is left out.
    pub fn apply<U: Keyed>(
        &mut self,
        update: Update<T>,
        held: &Held<U>,
        mut open: impl FnMut(T) -> Option<U>,
    ) -> Applied {
        match update {
            Update::SnapshotBegin => {
                self.parts = Some(Vec::new());
                Applied::Nothing
            }
            Update::SnapshotPart(items) => match &mut self.parts {
                Some(parts) => {
                    parts.extend(items);
                    Applied::Nothing
                }
                None => Applied::Drifted,
            },
            Update::SnapshotEnd(position) => match self.parts.take() {
                Some(parts) => {
                    self.left_out.clear();
                    held.replace(position, self.opened(parts, &mut open));
                    Applied::Reached(position)
                }
                None => Applied::Drifted,
            },
            Update::Delta { position, upserts, mut removed } => {
                for key in &removed {
                    self.left_out.remove(key);
                }
                let upserts = self.opened(upserts, &mut open);
                // The new version of an item that does not open: the old one is not served any longer.
                removed.extend(self.left_out.iter().cloned());
                held.change(position, upserts, &removed);
                Applied::Reached(position)
            }
            Update::Heartbeat { position, items } => {
                let ours = held.position();
                let ours_len = u64::try_from(held.len() + self.left_out.len());
                let same = ours == Some(position) && ours_len.is_ok_and(|len| len == items);
                let behind = ours
                    .is_some_and(|ours| ours.epoch == position.epoch && ours.revision < position.revision);
                if same || behind { Applied::Nothing } else { Applied::Drifted }
            }
        }
    }

    fn opened<U>(&mut self, items: Vec<T>, open: &mut impl FnMut(T) -> Option<U>) -> Vec<U> {
        let mut opened = Vec::with_capacity(items.len());
        for item in items {
            let key = item.key().to_owned();
            if let Some(item) = open(item) {
                self.left_out.remove(&key);
                opened.push(item);
            } else {
                self.left_out.insert(key);
            }
        }
        opened
    }
}
