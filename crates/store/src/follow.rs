//! Keeps what is held up to date: subscribe, apply, acknowledge, and subscribe again, for as long as it is polled.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use names::Provider;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Applied, Callers, Catalog, Entropy, Gathering, Held, Keyed, Position, PublishedCaller, PublishedEndpoint,
    SealedTarget, StoreError, Update, Updates, Vault, Watcher,
};

/// Something to subscribe to: a [`Catalog`] as one edge, or a [`Vault`] as one forwarder.
#[async_trait::async_trait]
pub trait Source: Send + Sync + 'static {
    /// What comes.
    type Item: Keyed;
    /// Begins a watch.
    async fn subscribe(&self, from: Option<Position>) -> Result<Updates<Self::Item>, StoreError>;
    /// Says that the state of `position` is served.
    async fn acknowledge(&self, position: Position) -> Result<(), StoreError>;
    /// As [`Catalog::trouble`].
    fn trouble(&self) -> Option<String>;
}

/// A catalog, as an edge watches it.
pub struct AtEdge {
    /// The store's seam.
    pub catalog: Arc<dyn Catalog>,
    /// Who watches.
    pub watcher: Watcher,
}

#[async_trait::async_trait]
impl Source for AtEdge {
    type Item = PublishedEndpoint;

    async fn subscribe(&self, from: Option<Position>) -> Result<Updates<PublishedEndpoint>, StoreError> {
        self.catalog.watch(self.watcher.clone(), from).await
    }

    async fn acknowledge(&self, position: Position) -> Result<(), StoreError> {
        self.catalog.acknowledge(&self.watcher, position).await
    }

    fn trouble(&self) -> Option<String> {
        self.catalog.trouble()
    }
}

/// A vault, as a forwarder watches it.
pub struct AtForwarder {
    /// The store's seam.
    pub vault: Arc<dyn Vault>,
    /// Who watches.
    pub watcher: Watcher,
    /// Whose targets: of one provider where forwarders are apart, of all in a process that is all of them.
    pub providers: Vec<Provider>,
    /// What secrets are to be sealed to.
    pub public_key: Vec<u8>,
}

#[async_trait::async_trait]
impl Source for AtForwarder {
    type Item = SealedTarget;

    async fn subscribe(&self, from: Option<Position>) -> Result<Updates<SealedTarget>, StoreError> {
        self.vault.watch(self.watcher.clone(), self.providers.clone(), self.public_key.clone(), from).await
    }

    async fn acknowledge(&self, position: Position) -> Result<(), StoreError> {
        self.vault.acknowledge(&self.watcher, position).await
    }

    fn trouble(&self) -> Option<String> {
        self.vault.trouble()
    }
}

/// Who may call, as an edge watches it.
pub struct AtGate {
    /// The store's seam.
    pub callers: Arc<dyn Callers>,
    /// Who watches.
    pub watcher: Watcher,
}

#[async_trait::async_trait]
impl Source for AtGate {
    type Item = PublishedCaller;

    async fn subscribe(&self, from: Option<Position>) -> Result<Updates<PublishedCaller>, StoreError> {
        self.callers.watch(self.watcher.clone(), from).await
    }

    async fn acknowledge(&self, position: Position) -> Result<(), StoreError> {
        self.callers.acknowledge(&self.watcher, position).await
    }

    fn trouble(&self) -> Option<String> {
        self.callers.trouble()
    }
}

/// How patient a follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// About how long to wait before the second try; each further one waits twice as long.
    pub retry_first: Duration,
    /// The most to wait between tries.
    pub retry_max: Duration,
    /// The most to wait for an answer of the store's.
    pub answer_max: Duration,
    /// A watch that says nothing for this long, not even a heartbeat, is given up: several heartbeats.
    pub silence_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry_first: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
            answer_max: Duration::from_secs(10),
            silence_max: Duration::from_secs(35),
        }
    }
}

/// What a follower lives through; for metrics and readiness. Each is told after it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A watch runs.
    Subscribed,
    /// This position is held, and was acknowledged or tried to be. [`Held::positions`] tells of it too.
    Reached(Position),
    /// What was held is not what the store says it should be; subscribes from nothing. What is held stays until then.
    Drifted,
    /// The watch ended, or did not begin. What is held stays.
    Lost(StoreError),
}

/// Follows `source` until it is dropped: `held` goes on from where it is (e.g. a snapshot from disk), and moves with the
/// store. Each item goes through `open` first; one that does not open is left out, and `open` says why in the log.
pub async fn follow<S: Source, U: Keyed>(
    source: S,
    held: Arc<Held<U>>,
    pace: Pace,
    entropy: Arc<dyn Entropy>,
    open: impl FnMut(S::Item) -> Option<U> + Send,
    tell: impl FnMut(Progress) + Send,
) {
    let mut follower = Follower { source, held, pace, open, tell, outage: Outage::default() };
    let mut from = follower.held.position();
    let mut wait = follower.pace.retry_first;
    loop {
        let begun = Instant::now();
        match follower.watch(from).await {
            Ended::Drifted => {
                tracing::warn!("what is held is not what the store has; taking it anew");
                (follower.tell)(Progress::Drifted);
                from = None;
            }
            Ended::Lost(error) => {
                let cause = follower.cause(&error);
                if follower.outage.is_to_be_told(Instant::now()) {
                    tracing::warn!(cause, "lost the store; serving what is held");
                } else {
                    tracing::debug!(cause, "the store is still away");
                }
                (follower.tell)(Progress::Lost(error));
                // Whoever drifted and was cut off before the snapshot ended still needs one.
                from = from.and(follower.held.position());
            }
            Ended::Cut(error) => {
                let cause = follower.cause(&error);
                tracing::info!(cause, "the watch ended; serving what is held");
                (follower.tell)(Progress::Lost(error));
                from = follower.held.position();
            }
        }
        // A watch that ran for a while is no reason to be slow; one that ends at once is, whatever ended it.
        wait = if begun.elapsed() > follower.pace.retry_max { follower.pace.retry_first } else { wait };
        sleep(jittered(wait, entropy.as_ref())).await;
        wait = (wait * 2).min(follower.pace.retry_max);
    }
}

struct Follower<S, U, O, T> {
    source: S,
    held: Arc<Held<U>>,
    pace: Pace,
    open: O,
    tell: T,
    outage: Outage,
}

/// How long the store has been away, as far as the log knows: told when it begins, and then now and then.
#[derive(Debug, Default)]
struct Outage {
    told: Option<Instant>,
}

impl Outage {
    /// Between two lines about the same outage.
    const AGAIN: Duration = Duration::from_mins(1);

    /// Whether the log should hear that the store is away, `now`.
    fn is_to_be_told(&mut self, now: Instant) -> bool {
        let due = self.told.is_none_or(|told| now.duration_since(told) >= Self::AGAIN);
        if due {
            self.told = Some(now);
        }
        due
    }

    /// The store is there; whether the log thought otherwise.
    fn is_over(&mut self) -> bool {
        self.told.take().is_some()
    }
}

/// Why a watch is over.
enum Ended {
    /// It has to begin from nothing.
    Drifted,
    /// It brought nothing.
    Lost(StoreError),
    /// It brought at least one position.
    Cut(StoreError),
}

impl<S, U, O, T> Follower<S, U, O, T>
where
    S: Source,
    U: Keyed,
    O: FnMut(S::Item) -> Option<U> + Send,
    T: FnMut(Progress) + Send,
{
    async fn watch(&mut self, from: Option<Position>) -> Ended {
        let mut updates = match timeout(self.pace.answer_max, self.source.subscribe(from)).await {
            Ok(Ok(updates)) => updates,
            Ok(Err(error)) => return Ended::Lost(error),
            Err(_) => return Ended::Lost(StoreError::Unavailable),
        };
        (self.tell)(Progress::Subscribed);
        let mut gathering = Gathering::default();
        let mut ended: fn(StoreError) -> Ended = Ended::Lost;
        loop {
            let update = match timeout(self.pace.silence_max, updates.next()).await {
                Ok(Some(Ok(update))) => update,
                Ok(Some(Err(error))) => return ended(error),
                Ok(None) | Err(_) => return ended(StoreError::Unavailable),
            };
            if self.outage.is_over() {
                tracing::info!("the store is back");
            }
            let heartbeat = matches!(update, Update::Heartbeat { .. });
            match gathering.apply(update, &self.held, &mut self.open) {
                Applied::Drifted => return Ended::Drifted,
                Applied::Reached(position) => {
                    self.acknowledge(position).await;
                    (self.tell)(Progress::Reached(position));
                    ended = Ended::Cut;
                }
                Applied::Nothing if heartbeat => {
                    if let Some(position) = self.held.position() {
                        self.acknowledge(position).await;
                    }
                }
                Applied::Nothing => {}
            }
        }
    }

    /// Why a watch ended, for the log. An error's own text is for callers: it speaks of what was to be changed.
    fn cause(&self, error: &StoreError) -> String {
        match error {
            StoreError::Unavailable => {
                self.source.trouble().unwrap_or_else(|| "it is not available, or does not answer".to_owned())
            }
            error => error.to_string(),
        }
    }

    /// Where it does not get through, the watch will end too, or the next heartbeat is acknowledged.
    async fn acknowledge(&self, position: Position) {
        let said = timeout(self.pace.answer_max, self.source.acknowledge(position)).await;
        if let Err(error) = said.unwrap_or(Err(StoreError::Unavailable)) {
            tracing::debug!(cause = error.to_string(), "an acknowledgement did not get through");
        }
    }
}

/// Between half of it and all of it, so that replicas that lost the store together do not come back together.
fn jittered(wait: Duration, entropy: &dyn Entropy) -> Duration {
    const STEPS: u32 = 1_024;
    let step = u32::try_from(entropy.bits() % u128::from(STEPS)).unwrap_or(0);
    wait / 2 + wait / 2 * step / STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_and_then_once_a_minute() {
        let (mut outage, begin) = (Outage::default(), Instant::now());
        let told: Vec<u64> = (0..300)
            .map(|tries| tries / 2)
            .filter(|seconds| outage.is_to_be_told(begin + Duration::from_secs(*seconds)))
            .collect();
        assert_eq!(told, [0, 60, 120]);
        assert!(outage.is_over() && !outage.is_over());
        assert!(outage.is_to_be_told(begin + Duration::from_secs(150)), "another outage is news");
    }
}
