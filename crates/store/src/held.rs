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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Item(&'static str, &'static str);

    impl Keyed for Item {
        fn key(&self) -> &str {
            self.0
        }
        fn name(&self) -> &str {
            self.1
        }
    }

    fn at(revision: u64) -> Position {
        Position { epoch: 1, revision }
    }

    fn names(held: &Held<Item>) -> Vec<(&'static str, &'static str)> {
        held.all().iter().map(|item| (item.0, item.1)).collect()
    }

    #[test]
    fn names_move_between_items_in_whatever_order_the_news_come() {
        let held = Held::default();
        held.replace(at(1), [Item("1", "a"), Item("2", "b")]);
        held.change(at(2), vec![Item("1", "b"), Item("2", "a")], &[]);
        assert_eq!(names(&held), [("2", "a"), ("1", "b")]);
        held.change(at(3), vec![Item("3", "a")], &["2".to_owned()]);
        assert_eq!(names(&held), [("3", "a"), ("1", "b")]);
        // The same in two steps, the removal last.
        held.change(at(3), vec![Item("4", "a")], &[]);
        held.change(at(4), vec![], &["3".to_owned()]);
        assert_eq!(names(&held), [("4", "a"), ("1", "b")]);
        assert_eq!((held.len(), held.revision()), (2, 4));
    }

    #[test]
    fn a_snapshot_counts_only_when_it_is_complete() {
        let (held, mut gathering) = (Held::default(), Gathering::default());
        let mut apply = |update| gathering.apply(update, &held, Some);
        held.replace(at(1), [Item("old", "old")]);
        assert_eq!(apply(Update::SnapshotPart(vec![])), Applied::Drifted);
        assert_eq!(apply(Update::SnapshotBegin), Applied::Nothing);
        assert_eq!(apply(Update::SnapshotPart(vec![Item("1", "a")])), Applied::Nothing);
        assert_eq!(names(&held), [("old", "old")]);
        assert_eq!(apply(Update::SnapshotEnd(at(2))), Applied::Reached(at(2)));
        assert_eq!(names(&held), [("1", "a")]);
        assert_eq!(apply(Update::SnapshotEnd(at(2))), Applied::Drifted);
    }

    #[test]
    fn what_does_not_open_is_not_held_and_no_drift() {
        let (held, mut gathering) = (Held::default(), Gathering::default());
        let mut apply =
            |update| gathering.apply(update, &held, |item: Item| (item.1 != "bad").then_some(item));
        apply(Update::SnapshotBegin);
        apply(Update::SnapshotPart(vec![Item("1", "a"), Item("2", "bad"), Item("3", "c")]));
        apply(Update::SnapshotEnd(at(1)));
        let heartbeat = |revision, items| Update::Heartbeat { position: at(revision), items };
        assert_eq!(apply(heartbeat(1, 3)), Applied::Nothing);
        assert_eq!(apply(heartbeat(1, 2)), Applied::Drifted);
        assert_eq!(apply(heartbeat(2, 7)), Applied::Nothing, "more is to come");
        let delta = |revision, upserts| Update::Delta { position: at(revision), upserts, removed: vec![] };
        apply(delta(2, vec![Item("1", "bad"), Item("2", "b")]));
        assert_eq!(names(&held), [("2", "b"), ("3", "c")], "the old version of 1 is gone");
        assert_eq!(apply(heartbeat(2, 3)), Applied::Nothing);
        apply(Update::Delta { position: at(3), upserts: vec![], removed: vec!["1".to_owned()] });
        assert_eq!(apply(heartbeat(3, 2)), Applied::Nothing);
        let other = Position { epoch: 2, revision: 9 };
        assert_eq!(apply(Update::Heartbeat { position: other, items: 2 }), Applied::Drifted);
    }
}
