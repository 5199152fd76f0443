//! Gates: where a script waits until a test says go, so that no test need sleep.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::log::{NotSeen, PATIENCE};

/// A named gate. Scripts wait at it; the test sees that they arrived and lets them pass.
#[derive(Debug, Clone)]
pub struct Gate {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    name: String,
    passages: Semaphore,
    arrived: watch::Sender<u64>,
}

/// As many passages as no test uses up.
const FOR_GOOD: usize = Semaphore::MAX_PERMITS / 2;

impl Gate {
    pub(crate) fn new(name: &str) -> Self {
        let passages = Semaphore::new(0);
        Self { state: Arc::new(State { name: name.to_owned(), passages, arrived: watch::Sender::new(0) }) }
    }

    /// Opens it for good.
    pub fn open(&self) {
        if self.state.passages.available_permits() < FOR_GOOD {
            self.state.passages.add_permits(FOR_GOOD);
        }
    }

    /// Lets `passages` more waits pass, those that come later included.
    pub fn pass(&self, passages: usize) {
        self.state.passages.add_permits(passages);
    }

    /// Waits until scripts have arrived here `times` times in all.
    pub async fn reached(&self, times: u64) -> Result<(), NotSeen> {
        self.reached_within(PATIENCE, times).await
    }

    pub(crate) async fn reached_within(&self, patience: Duration, times: u64) -> Result<(), NotSeen> {
        let mut arrived = self.state.arrived.subscribe();
        let seen = tokio::time::timeout(patience, arrived.wait_for(|count| *count >= times)).await;
        let Ok(Ok(_)) = seen else {
            let count = *self.state.arrived.borrow();
            return Err(NotSeen(format!(
                "gate `{}` reached {times} times: it was {count} times",
                self.state.name
            )));
        };
        Ok(())
    }

    /// Arrives, and waits to pass.
    pub(crate) async fn wait(&self) {
        self.state.arrived.send_modify(|count| *count += 1);
        match self.state.passages.acquire().await {
            Ok(permit) => permit.forget(),
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }
}
