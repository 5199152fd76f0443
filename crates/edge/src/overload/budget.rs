//! What second attempts of an endpoint are taken from: a share of its calls, so that an outage of its first target is not
//! answered with twice the calls, and a few a second beyond it, so that an endpoint with few calls falls back too.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

use crate::config::Retries;

/// How long calls are counted before their rate is believed, in seconds.
const MEASURE_SECONDS: f64 = 1.0;

/// An account of second attempts. A call costs it one addition; it is looked at only when something failed.
#[derive(Debug, Default)]
pub(super) struct Budget {
    calls: AtomicU64,
    account: Mutex<Option<Account>>,
}

#[derive(Debug)]
struct Account {
    /// Second attempts that may be made now.
    level: f64,
    /// More than this is not saved up.
    level_max: f64,
    /// Of the calls, how many were counted, and when.
    counted: u64,
    looked: Instant,
    /// When the measurement of the rate began, and with how many calls.
    measured: (Instant, u64),
}

impl Budget {
    /// A call came.
    pub(super) fn note_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one second attempt; whether there was one.
    pub(super) fn withdraw(&self, retries: &Retries) -> bool {
        let (now, calls) = (Instant::now(), self.calls.load(Ordering::Relaxed));
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let account = account.get_or_insert_with(|| Account::new(retries, now, calls));
        account.deposit(retries, now, calls);
        let enough = account.level >= 1.0;
        if enough {
            account.level -= 1.0;
        }
        enough
    }
}

impl Account {
    /// What the second attempts of every second bring is there from the beginning.
    fn new(retries: &Retries, now: Instant, calls: u64) -> Self {
        let level = f64::from(retries.budget_per_second) * retries.budget_window.as_secs_f64();
        Self { level, level_max: level, counted: calls, looked: now, measured: (now, calls) }
    }

    fn deposit(&mut self, retries: &Retries, now: Instant, calls: u64) {
        let (share, floor) = (f64::from(retries.budget_share) / 100.0, f64::from(retries.budget_per_second));
        let seconds = now.saturating_duration_since(self.looked).as_secs_f64();
        self.level += share * number(calls.saturating_sub(self.counted)) + floor * seconds;
        (self.counted, self.looked) = (calls, now);
        let (since, calls_then) = self.measured;
        let measured = now.saturating_duration_since(since).as_secs_f64();
        if measured >= MEASURE_SECONDS {
            let rate = number(calls.saturating_sub(calls_then)) / measured;
            self.level_max = (share * rate + floor) * retries.budget_window.as_secs_f64();
            self.measured = (now, calls);
        }
        self.level = self.level.min(self.level_max);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a budget needs no more than the 53 bits of a float")]
fn number(calls: u64) -> f64 {
    calls as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Of `calls` in each of `seconds`, all of which fail, how many are tried again.
    async fn retried(budget: &Budget, calls: u32, seconds: u32) -> u32 {
        let (retries, mut retried) = (Retries::default(), 0);
        for _ in 0..seconds {
            for _ in 0..calls {
                budget.note_call();
                retried += u32::from(budget.withdraw(&retries));
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        retried
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenth_of_the_calls_and_one_a_second() {
        let retried = retried(&Budget::default(), 1_000, 60).await;
        assert!((6_000..=6_000 + 60 + 10).contains(&retried), "{retried}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_with_few_calls_tries_all_of_them_again() {
        assert_eq!(retried(&Budget::default(), 1, 60).await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_needed_is_saved_up_for_a_window_and_no_longer() {
        let budget = Budget::default();
        let first = retried(&budget, 100, 1).await;
        assert!((19..=20).contains(&first), "ten from before, and a tenth: {first}");
        for _ in 0..100 {
            budget.calls.fetch_add(100, Ordering::Relaxed);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let retries = Retries::default();
        let saved = std::iter::repeat_with(|| budget.withdraw(&retries)).take_while(|there| *there).count();
        assert!((100..=120).contains(&saved), "ten seconds of a hundred calls each bring 110: {saved}");
    }
}
