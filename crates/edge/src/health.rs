//! Which targets rest: those that asked for it, those whose key was refused, those that failed again and again.
//!
//! A target that rests is passed over as long as its endpoint has another one. When its rest is over, one call tries it;
//! what comes of that decides for the others. A target is one model with one secret in one version: when the secret is
//! changed, what was known of the target no longer holds, and it is called at once.

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
use names::{MappingId, SecretId};
use store::PublishedTarget;
use tokio::time::Instant;

use crate::config::Retries;

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
    /// It has had too many requests, and does not say until when.
    Limited,
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
                (StatusCode::TOO_MANY_REQUESTS, None) => Self::Limited,
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
    Duration::try_from_secs_f64(seconds).ok()
}

/// How the targets are. Nothing is locked while all of them are up.
#[derive(Debug, Default)]
pub(crate) struct Health {
    limits: Retries,
    troubled: RwLock<HashMap<MappingId, Trouble>>,
    count: AtomicUsize,
}

/// A secret and its version, as the edge knows it of a target.
type Secret = Option<(SecretId, u64)>;

#[derive(Debug, Default)]
struct Trouble {
    /// With which secret.
    secret: Secret,
    failures: u32,
    rests_until: Option<Instant>,
    key_refused: bool,
}

/// What is new to who keeps an eye on the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing is.
    None,
    /// The target rests because it failed again and again.
    Rests,
    /// Its key was refused, for the first time since it last worked or was changed.
    KeyRefused,
}

impl Health {
    /// All of them are up.
    pub(crate) fn new(limits: Retries) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Whether any target may be resting.
    pub(crate) fn any_rests(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// How many targets rest now.
    pub(crate) fn resting(&self) -> usize {
        let now = Instant::now();
        let troubled = self.troubled.read().unwrap_or_else(PoisonError::into_inner);
        troubled.values().filter(|trouble| trouble.rests_until.is_some_and(|until| now < until)).count()
    }

    /// Whether a call may go there. Who is told so at the end of a rest is the one that tries.
    pub(crate) fn may_be_tried(&self, target: &PublishedTarget) -> bool {
        if !self.any_rests() {
            return true;
        }
        let now = Instant::now();
        let until = {
            let troubled = self.troubled.read().unwrap_or_else(PoisonError::into_inner);
            let trouble = troubled.get(&target.mapping).filter(|trouble| trouble.secret == target.secret);
            trouble.and_then(|trouble| trouble.rests_until)
        };
        match until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => self.takes_trial(target, now),
        }
    }

    fn takes_trial(&self, target: &PublishedTarget, now: Instant) -> bool {
        let mut troubled = self.troubled.write().unwrap_or_else(PoisonError::into_inner);
        let trouble = troubled.get_mut(&target.mapping).filter(|trouble| trouble.secret == target.secret);
        let Some(until) = trouble.and_then(|trouble| trouble.rests_until.as_mut()) else {
            return true;
        };
        let first = now >= *until;
        if first {
            *until = now + self.limits.trial;
        }
        first
    }

    /// Takes note of what an attempt said. `draw` gives numbers from 0 to 1.
    pub(crate) fn note(&self, target: &PublishedTarget, sign: Sign, draw: impl FnOnce() -> f64) -> News {
        match sign {
            Sign::Nothing => News::None,
            Sign::Up if !self.any_rests() => News::None,
            Sign::Up => {
                let mut troubled = self.troubled.write().unwrap_or_else(PoisonError::into_inner);
                if troubled.get(&target.mapping).is_some_and(|trouble| !trouble.is_after(target)) {
                    troubled.remove(&target.mapping);
                    self.count.store(troubled.len(), Ordering::Relaxed);
                }
                News::None
            }
            Sign::Failed | Sign::KeyRefused | Sign::Limited | Sign::Asks(_) => {
                self.note_trouble(target, sign, draw())
            }
        }
    }

    fn note_trouble(&self, target: &PublishedTarget, sign: Sign, drawn: f64) -> News {
        let now = Instant::now();
        let mut troubled = self.troubled.write().unwrap_or_else(PoisonError::into_inner);
        if troubled.len() >= TROUBLED_MAX && !troubled.contains_key(&target.mapping) {
            troubled.retain(|_, trouble| trouble.rests_until.is_some_and(|until| now < until));
            if troubled.len() >= TROUBLED_MAX {
                return News::None;
            }
        }
        let trouble = troubled.entry(target.mapping.clone()).or_default();
        if trouble.is_after(target) {
            return News::None;
        }
        if trouble.secret != target.secret {
            *trouble = Trouble { secret: target.secret.clone(), ..Trouble::default() };
        }
        let (rest, news) = trouble.worsens(&self.limits, sign, drawn);
        if let Some(rest) = rest {
            trouble.rests_until = Some(now + rest);
        }
        self.count.store(troubled.len(), Ordering::Relaxed);
        news
    }
}

impl Trouble {
    /// Whether this is of a later version of the secret than an attempt was made with: its word is too late.
    fn is_after(&self, target: &PublishedTarget) -> bool {
        match (&self.secret, &target.secret) {
            (Some((id, version)), Some((tried, tried_version))) => id == tried && version > tried_version,
            _ => false,
        }
    }

    /// One more sign: how long the target rests now, if it does, and what is new about it.
    fn worsens(&mut self, limits: &Retries, sign: Sign, drawn: f64) -> (Option<Duration>, News) {
        match sign {
            Sign::Asks(rest) => (Some(rest.min(limits.asked_max)), News::None),
            Sign::Limited => (Some(limits.limited_rest), News::None),
            Sign::KeyRefused => {
                let again = std::mem::replace(&mut self.key_refused, true);
                (Some(limits.key_rest), if again { News::None } else { News::KeyRefused })
            }
            Sign::Up | Sign::Failed | Sign::Nothing => {
                self.failures = self.failures.saturating_add(1);
                let news = if self.failures == limits.failures_max { News::Rests } else { News::None };
                ((self.failures >= limits.failures_max).then(|| after(limits, self.failures, drawn)), news)
            }
        }
    }
}

/// The rest after so many failures in a row.
fn after(limits: &Retries, failures: u32, drawn: f64) -> Duration {
    let doublings = failures.saturating_sub(limits.failures_max).min(16);
    limits.rest_min.saturating_mul(1 << doublings).min(limits.rest_max).mul_f64(0.75 + 0.5 * drawn)
}

#[cfg(test)]
mod tests;
