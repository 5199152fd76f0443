//! Budgets of memory for bodies that are kept or held whole.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What all bodies of one kind may take together. Clones are one budget.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Semaphore>);

/// A body's part of a budget; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
    taken: u64,
}

impl Budget {
    /// How much is taken at a time, in bytes.
    pub const STEP: u64 = 64 << 10;

    /// A budget of so many bytes, in whole steps.
    pub fn new(bytes: u64) -> Self {
        let steps = usize::try_from(bytes / Self::STEP).unwrap_or(usize::MAX);
        Self(Arc::new(Semaphore::new(steps.min(Semaphore::MAX_PERMITS))))
    }

    /// What is left of it, in bytes.
    pub fn left(&self) -> u64 {
        (self.0.available_permits() as u64).saturating_mul(Self::STEP)
    }

    /// A part of it: nothing yet.
    pub fn share(&self) -> Share {
        Share { budget: self.clone(), held: None, taken: 0 }
    }
}

impl Share {
    /// Takes what is missing to hold so many bytes; whether it was there.
    pub fn holds(&mut self, bytes: u64) -> bool {
        if bytes <= self.taken {
            return true;
        }
        let steps = (bytes - self.taken).div_ceil(Budget::STEP);
        let Some(more) = u32::try_from(steps)
            .ok()
            .and_then(|steps| Arc::clone(&self.budget.0).try_acquire_many_owned(steps).ok())
        else {
            return false;
        };
        self.taken += steps * Budget::STEP;
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

    const STEP: u64 = Budget::STEP;

    #[test]
    fn what_is_taken_comes_back() {
        let budget = Budget::new(3 * STEP);
        let mut one = budget.share();
        assert!(one.holds(1) && one.holds(STEP) && one.holds(2 * STEP));
        let mut other = budget.share();
        assert!(!other.holds(STEP + 1), "one step is left");
        assert!(other.holds(STEP) && !one.holds(2 * STEP + 1));
        drop(one);
        assert!(other.holds(3 * STEP));
        assert_eq!(budget.left(), 0);
        drop(other);
        assert_eq!(budget.left(), 3 * STEP);
    }
}
