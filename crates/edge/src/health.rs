//! Which targets rest: those that asked for it, those whose key was refused, those that failed again and again.
//!
//! A target that rests is passed over as long as its endpoint has another one. When its rest is over, one call tries it;
//! what comes of that decides for the others. A target is one model with one secret, so this is by both.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use forward::{Answer, ForwardError};
use http::{HeaderMap, StatusCode, header};
use names::MappingId;
use tokio::time::Instant;

/// Failures in a row after which a target rests.
const FAILURES_MAX: u32 = 7;
/// The first rest after that many failures; each one after it is twice as long, give or take a quarter.
const REST_MIN: Duration = Duration::from_secs(1);
/// The longest rest after failures.
const REST_MAX: Duration = Duration::from_mins(1);
/// How long a target rests whose key was refused: somebody has to change it first.
const KEY_REST: Duration = Duration::from_mins(1);
/// The longest rest that a provider may ask for: a quota of a day is back some time within it.
const ASKED_MAX: Duration = Duration::from_hours(1);
/// How long the others wait for what comes of the one call that tries a target again.
const TRIAL: Duration = Duration::from_secs(10);
/// Targets that are remembered at once; beyond them no further one rests.
const TROUBLED_MAX: usize = 16_384;

/// What an attempt says of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It answers; a refusal of the caller's own request is an answer.
    Up,
    /// It does not work.
    Failed,
    /// It refuses our key (401, 402, 403).
    KeyRefused,
    /// It asks to be left alone for so long.
    Asks(Duration),
    /// Nothing: it was the client, or Keyward itself.
    Nothing,
}

impl Sign {
    /// What came of an attempt.
    pub(crate) fn of(came: &Result<Answer, ForwardError>) -> Self {
        match came {
            Ok(answer) => match (answer.status, asked_rest(&answer.headers)) {
                (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(rest)) => {
                    Self::Asks(rest)
                }
                (status, _) if status.is_server_error() => Self::Failed,
                (status, _) if matches!(status.as_u16(), 401..=403) => Self::KeyRefused,
                // Without a time, too many requests say nothing of the next one.
                (StatusCode::TOO_MANY_REQUESTS, _) => Self::Nothing,
                _ => Self::Up,
            },
            Err(
                ForwardError::Unreachable(_)
                | ForwardError::TimedOut { .. }
                | ForwardError::Disconnected
                | ForwardError::Garbled(_),
            ) => Self::Failed,
            Err(ForwardError::KeyRefused(_)) => Self::KeyRefused,
            Err(_) => Self::Nothing,
        }
    }
}

/// `retry-after-ms`, or `retry-after` in seconds.
fn asked_rest(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|milliseconds| milliseconds / 1000.0)
        .or_else(|| number(header::RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(seconds).ok().map(|rest| rest.min(ASKED_MAX))
}

/// How the targets are. Nothing is locked while all of them are up.
#[derive(Debug, Default)]
pub(crate) struct Health {
    troubled: RwLock<HashMap<MappingId, Trouble>>,
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Trouble {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Health {
    /// Whether any target may be resting.
    pub(crate) fn any_rests(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Whether a call may go there. Who is told so at the end of a rest is the one that tries.
    pub(crate) fn may_be_tried(&self, target: &MappingId) -> bool {
        if !self.any_rests() {
            return true;
        }
        let now = Instant::now();
        let until = {
            let troubled = self.troubled.read().unwrap_or_else(PoisonError::into_inner);
            troubled.get(target).and_then(|trouble| trouble.rests_until)
        };
        match until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => self.takes_trial(target, now),
        }
    }

    fn takes_trial(&self, target: &MappingId, now: Instant) -> bool {
        let mut troubled = self.troubled.write().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = troubled.get_mut(target).and_then(|trouble| trouble.rests_until.as_mut()) else {
            return true;
        };
        let first = now >= *until;
        if first {
            *until = now + TRIAL;
        }
        first
    }

    /// Takes note of what an attempt said. `draw` gives numbers from 0 to 1.
    pub(crate) fn note(&self, target: &MappingId, sign: Sign, draw: impl FnOnce() -> f64) {
        match sign {
            Sign::Nothing => {}
            Sign::Up if !self.any_rests() => {}
            Sign::Up => {
                let mut troubled = self.troubled.write().unwrap_or_else(PoisonError::into_inner);
                troubled.remove(target);
                self.count.store(troubled.len(), Ordering::Relaxed);
            }
            Sign::Failed | Sign::KeyRefused | Sign::Asks(_) => self.note_trouble(target, sign, draw()),
        }
    }

    fn note_trouble(&self, target: &MappingId, sign: Sign, drawn: f64) {
        let now = Instant::now();
        let mut troubled = self.troubled.write().unwrap_or_else(PoisonError::into_inner);
        if troubled.len() >= TROUBLED_MAX && !troubled.contains_key(target) {
            troubled.retain(|_, trouble| trouble.rests_until.is_some_and(|until| now < until));
            if troubled.len() >= TROUBLED_MAX {
                return;
            }
        }
        let trouble = troubled.entry(target.clone()).or_default();
        let rest = match sign {
            Sign::Asks(rest) => Some(rest),
            Sign::KeyRefused => Some(KEY_REST),
            _ => {
                trouble.failures = trouble.failures.saturating_add(1);
                (trouble.failures >= FAILURES_MAX).then(|| after(trouble.failures, drawn))
            }
        };
        if let Some(rest) = rest {
            trouble.rests_until = Some(now + rest);
        }
        self.count.store(troubled.len(), Ordering::Relaxed);
    }
}

/// The rest after so many failures in a row.
fn after(failures: u32, drawn: f64) -> Duration {
    let doublings = failures.saturating_sub(FAILURES_MAX).min(10);
    (REST_MIN * 2_u32.pow(doublings)).min(REST_MAX).mul_f64(0.75 + 0.5 * drawn)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn target() -> MappingId {
        MappingId::from_random(1)
    }

    fn fail(health: &Health, times: u32) {
        for _ in 0..times {
            health.note(&target(), Sign::Failed, || 0.5);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn seven_failures_in_a_row_are_followed_by_a_rest_and_one_trial() {
        let health = Health::default();
        fail(&health, 6);
        assert!(health.may_be_tried(&target()));
        health.note(&target(), Sign::Up, || 0.5);
        fail(&health, 6);
        assert!(health.may_be_tried(&target()), "not in a row");
        fail(&health, 1);
        assert!(!health.may_be_tried(&target()));
        assert!(health.may_be_tried(&MappingId::from_random(2)), "the others go on");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(health.may_be_tried(&target()) && !health.may_be_tried(&target()), "one tries");
        fail(&health, 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!health.may_be_tried(&target()), "twice as long");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(health.may_be_tried(&target()));
        health.note(&target(), Sign::Up, || 0.5);
        assert!(!health.any_rests() && health.may_be_tried(&target()) && health.may_be_tried(&target()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_of_which_nothing_is_heard_is_followed_by_another() {
        let health = Health::default();
        fail(&health, 7);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(health.may_be_tried(&target()) && !health.may_be_tried(&target()));
        tokio::time::advance(TRIAL).await;
        assert!(health.may_be_tried(&target()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_that_was_asked_for_is_as_long_as_that() {
        let health = Health::default();
        health.note(&target(), Sign::Asks(Duration::from_secs(34)), || 0.5);
        tokio::time::advance(Duration::from_millis(33_999)).await;
        assert!(!health.may_be_tried(&target()));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(health.may_be_tried(&target()));
    }

    #[test]
    fn rests_grow_to_a_minute() {
        let seconds = |failures| after(failures, 0.5).as_secs();
        assert_eq!([7, 8, 9, 12, 13, 14, 1000].map(seconds), [1, 2, 4, 32, 60, 60, 60]);
        assert!(after(7, 0.0) < after(7, 1.0));
    }

    #[test]
    fn signs() {
        let answer = |status, fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            let status = StatusCode::from_u16(status).unwrap();
            Sign::of(&Ok(Answer { status, headers, body: forward::empty() }))
        };
        for status in [200, 400, 404, 409, 422] {
            assert_eq!(answer(status, &[]), Sign::Up, "{status}");
        }
        for status in [500, 502, 503, 504, 529] {
            assert_eq!(answer(status, &[]), Sign::Failed, "{status}");
        }
        for status in [401, 402, 403] {
            assert_eq!(answer(status, &[]), Sign::KeyRefused, "{status}");
        }
        let asks = |milliseconds| Sign::Asks(Duration::from_millis(milliseconds));
        assert_eq!(answer(429, &[]), Sign::Nothing);
        assert_eq!(answer(429, &[("retry-after", "soon")]), Sign::Nothing);
        assert_eq!(answer(429, &[("retry-after", "7")]), asks(7000));
        assert_eq!(answer(429, &[("retry-after", "7"), ("retry-after-ms", "6500")]), asks(6500));
        assert_eq!(answer(503, &[("retry-after", "1000000")]), Sign::Asks(ASKED_MAX));
        assert_eq!(Sign::of(&Err(ForwardError::Disconnected)), Sign::Failed);
        assert_eq!(Sign::of(&Err(ForwardError::RequestBroken)), Sign::Nothing);
        assert_eq!(Sign::of(&Err(ForwardError::KeyRefused("no"))), Sign::KeyRefused);
    }
}
