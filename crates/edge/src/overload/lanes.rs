//! Calls under way, counted by what they share: a client key, an endpoint, the process.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use arc_swap::ArcSwap;

use super::budget::Budget;

/// Lanes that are remembered at once; beyond them those without a call are forgotten.
const LANES_MAX: usize = 16_384;

/// Calls that share something.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    running: AtomicU32,
    /// What second attempts are taken from.
    pub(super) budget: Budget,
}

/// A call's place in a lane; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Lane>);

/// Lanes by what their calls share.
#[derive(Debug, Default)]
pub(super) struct Lanes(ArcSwap<HashMap<Box<str>, Arc<Lane>>>);

impl Lane {
    /// One more call, unless `max` are under way.
    pub(super) fn enter(lane: &Arc<Self>, max: u32) -> Option<Place> {
        let place = Place(Arc::clone(lane));
        // Counted first: two that come at once are never both let in to the last place.
        let before = lane.running.fetch_add(1, Ordering::AcqRel);
        (before < max).then_some(place)
    }

    /// How many calls are under way.
    pub(super) fn running(&self) -> u32 {
        self.running.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Lanes {
    /// The lane of `key`. Takes no lock and allocates nothing once it is there.
    pub(super) fn of(&self, key: &str) -> Arc<Lane> {
        if let Some(lane) = self.0.load().get(key) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane::default());
        self.0.rcu(|lanes| {
            let mut next = HashMap::clone(lanes);
            if next.len() >= LANES_MAX {
                next.retain(|_, lane| lane.running() > 0);
            }
            next.entry(key.into()).or_insert_with(|| Arc::clone(&lane));
            next
        });
        self.0.load().get(key).map_or(lane, Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_above_the_limit_is_refused_and_a_finished_one_makes_room() {
        let lanes = Lanes::default();
        let mut places: Vec<_> = (0..3).map(|_| Lane::enter(&lanes.of("a"), 3).unwrap()).collect();
        assert!(Lane::enter(&lanes.of("a"), 3).is_none());
        assert_eq!(lanes.of("a").running(), 3, "who was refused is not counted");
        assert!(Lane::enter(&lanes.of("b"), 3).is_some());
        places.pop();
        assert!(Lane::enter(&lanes.of("a"), 3).is_some());
        drop(places);
        assert_eq!(lanes.of("a").running(), 0);
    }

    #[test]
    fn lanes_without_a_call_are_forgotten() {
        let lanes = Lanes::default();
        let _place = Lane::enter(&lanes.of("busy"), 1).unwrap();
        let many = (0..LANES_MAX - 1).map(|number| (number.to_string().into(), Arc::default()));
        lanes.0.rcu(|held| held.as_ref().clone().into_iter().chain(many.clone()).collect::<HashMap<_, _>>());
        lanes.of("new");
        assert_eq!(lanes.0.load().len(), 2);
        assert!(Lane::enter(&lanes.of("busy"), 1).is_none());
    }
}
