//! Tokens that were granted: kept as long as they are good, asked for once however many calls wait.
//!
//! One [`Keeper`] a grant of a secret and version. It asks ahead of the token's end, while calls still use the old one; it
//! asks on a task of its own, so that a call that goes away takes nothing from the others; and after a failure it says so
//! for a moment instead of asking again.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use forward::ForwardError;
use futures_util::{FutureExt as _, future::BoxFuture, future::Shared};
use http::HeaderValue;
use names::SecretId;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub(crate) mod fetch;

use fetch::{Fetch, Fetched};

/// A token is not used in its last minute: a call and two clocks must fit into it.
const UNUSED: Duration = Duration::from_mins(1);
/// A new one is asked for so long before that.
const AHEAD: Duration = Duration::from_mins(4);
/// What an identity service means that does not say how long its token is good.
const GOOD_FOR: Duration = Duration::from_mins(5);
/// Longer than this no token is kept, whatever is said of it.
const GOOD_FOR_MAX: Duration = Duration::from_hours(24);
/// After a failure nobody asks again for so long.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// The keepers that are in use.
#[derive(Default)]
pub(crate) struct Tokens {
    tasks: TaskTracker,
    in_use: Mutex<HashMap<Key, Weak<Keeper>>>,
}

type Key = (SecretId, u64, [u8; 32]);

impl Tokens {
    /// The keeper of that grant, which asks by `fetch` if it is new. Its token is forgotten when the last who uses it is
    /// gone.
    pub(crate) fn of<F: Fetch>(
        &self,
        (secret, version): &(SecretId, u64),
        fingerprint: [u8; 32],
        fetch: impl FnOnce() -> F,
    ) -> Arc<Keeper> {
        let key = (secret.clone(), *version, fingerprint);
        let mut in_use = self.in_use.lock();
        if let Some(keeper) = in_use.get(&key).and_then(Weak::upgrade) {
            return keeper;
        }
        let keeper = Arc::new(Keeper::new(Box::new(fetch()), self.tasks.clone()));
        in_use.retain(|_, keeper| keeper.strong_count() > 0);
        in_use.insert(key, Arc::downgrade(&keeper));
        keeper
    }
}

/// A token as requests carry it.
#[derive(Debug)]
pub(crate) struct Token {
    /// `Bearer …`; never shown.
    pub(crate) header: HeaderValue,
    renew_at: Instant,
    ends_at: Instant,
}

/// Keeps the token of one grant.
pub(crate) struct Keeper {
    fetch: Box<dyn Fetch>,
    tasks: TaskTracker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    asking: Option<Asking>,
    failed: Option<(Instant, ForwardError)>,
}

type Asking = Shared<BoxFuture<'static, Result<Arc<Token>, ForwardError>>>;

/// A token, and whether it was there before it was wanted.
pub(crate) struct Had {
    pub(crate) token: Arc<Token>,
    pub(crate) before: bool,
}

impl Keeper {
    fn new(fetch: Box<dyn Fetch>, tasks: TaskTracker) -> Self {
        Self { fetch, tasks, state: Mutex::default() }
    }

    /// A token that is good; waits where there is none yet.
    pub(crate) async fn token(self: &Arc<Self>) -> Result<Had, ForwardError> {
        let asking = {
            let now = Instant::now();
            let mut state = self.state.lock();
            let token = state.token.clone().filter(|token| now < token.ends_at);
            let failed = state.failed.clone().filter(|(at, _)| now < *at + FAILED_FOR);
            match (token, failed) {
                (Some(token), failed) => {
                    if now >= token.renew_at && failed.is_none() {
                        drop(self.asked(&mut state));
                    }
                    return Ok(Had { token, before: true });
                }
                (None, Some((_, error))) => return Err(error),
                (None, None) => self.asked(&mut state),
            }
        };
        asking.await.map(|token| Had { token, before: false })
    }

    /// This token was refused: the next who wants one gets another.
    pub(crate) fn forget(&self, token: &Arc<Token>) {
        let mut state = self.state.lock();
        if state.token.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, token)) {
            state.token = None;
        }
    }

    /// The asking that is going on, begun now if there is none.
    fn asked(self: &Arc<Self>, state: &mut State) -> Asking {
        if let Some(asking) = &state.asking {
            return asking.clone();
        }
        let keeper = Arc::clone(self);
        let asking = async move {
            let came = keeper.fetch.fetch().await.map(|fetched| Arc::new(Token::from(fetched)));
            let mut state = keeper.state.lock();
            state.asking = None;
            match &came {
                Ok(token) => (state.token, state.failed) = (Some(Arc::clone(token)), None),
                Err(error) => state.failed = Some((Instant::now(), error.clone())),
            }
            came
        };
        let asking = asking.boxed().shared();
        state.asking = Some(asking.clone());
        drop(self.tasks.spawn(asking.clone()));
        asking
    }
}

impl From<Fetched> for Token {
    /// Margins shrink with a token that is good for less than they are long.
    fn from(Fetched { header, good_for, asked_at }: Fetched) -> Self {
        let good_for = good_for.unwrap_or(GOOD_FOR).min(GOOD_FOR_MAX);
        let used = good_for.saturating_sub(UNUSED.min(good_for / 10));
        let before_renewal = used.saturating_sub(AHEAD.min(used / 2));
        Self { header, renew_at: asked_at + before_renewal, ends_at: asked_at + used }
    }
}

#[cfg(test)]
mod tests;
