//! The one budget of memory for bodies that are kept.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much is taken from the budget at a time, in bytes.
const STEP: u64 = 64 << 10;

/// A body's part of the budget; given back when it is dropped.
pub(crate) struct Memory {
    budget: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    taken: u64,
}

impl Memory {
    /// A budget of so many bytes.
    pub(crate) fn budget(bytes: u64) -> Arc<Semaphore> {
        let steps = usize::try_from(bytes / STEP).unwrap_or(usize::MAX);
        Arc::new(Semaphore::new(steps.min(Semaphore::MAX_PERMITS)))
    }

    /// What is left of a budget, in bytes.
    pub(crate) fn left(budget: &Semaphore) -> u64 {
        (budget.available_permits() as u64).saturating_mul(STEP)
    }

    /// Nothing yet.
    pub(super) fn of(budget: &Arc<Semaphore>) -> Self {
        Self { budget: Arc::clone(budget), held: None, taken: 0 }
    }

    /// Takes what is missing to hold so many bytes; whether it was there.
    pub(super) fn holds(&mut self, bytes: u64) -> bool {
        if bytes <= self.taken {
            return true;
        }
        let steps = (bytes - self.taken).div_ceil(STEP);
        let Some(more) = u32::try_from(steps)
            .ok()
            .and_then(|steps| Arc::clone(&self.budget).try_acquire_many_owned(steps).ok())
        else {
            return false;
        };
        self.taken += steps * STEP;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        let budget = Memory::budget(3 * STEP);
        let mut one = Memory::of(&budget);
        assert!(one.holds(1) && one.holds(STEP) && one.holds(2 * STEP));
        let mut other = Memory::of(&budget);
        assert!(!other.holds(STEP + 1), "one step is left");
        assert!(other.holds(STEP) && !one.holds(2 * STEP + 1));
        drop(one);
        assert!(other.holds(3 * STEP));
        assert_eq!(budget.available_permits(), 0);
        drop(other);
        assert_eq!(budget.available_permits(), 3);
    }
}
