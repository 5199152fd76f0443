//! When another target is tried, and when one rests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;

/// When another target is tried, and when one rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// Percent of an endpoint's calls that may be tried at a second target, so that an outage is not answered with twice
    /// the calls. Default 10.
    #[serde(with = "units::percent")]
    pub budget_share: u8,
    /// Second attempts a second that an endpoint has beyond that share, so that one with few calls falls back too.
    /// Default 1.
    pub budget_per_second: u32,
    /// How much of both may be saved up: what this long a time brings. Default 10 s.
    #[serde(with = "units::duration")]
    pub budget_window: Duration,
    /// Failures in a row after which a target rests. Default 7.
    pub failures_max: u32,
    /// The first rest after that many failures; each one after it is twice as long, give or take a quarter. Default 1 s.
    #[serde(with = "units::duration")]
    pub rest_min: Duration,
    /// The longest rest after failures. Default 1 min.
    #[serde(with = "units::duration")]
    pub rest_max: Duration,
    /// The rest of a target whose provider refused it for too many requests (429) and did not say for how long. Default
    /// 1 s.
    #[serde(with = "units::duration")]
    pub limited_rest: Duration,
    /// The longest rest that a provider may ask for. Default 1 h: a quota of a day is back some time within it.
    #[serde(with = "units::duration")]
    pub asked_max: Duration,
    /// The rest of a target whose key was refused (401, 402, 403); it ends at once when the secret is changed. Default
    /// 1 min: what was mended at the provider is seen by itself.
    #[serde(with = "units::duration")]
    pub key_rest: Duration,
    /// How long the others wait for what comes of the one call that tries a target again. Default 10 s.
    #[serde(with = "units::duration")]
    pub trial: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            budget_share: 10,
            budget_per_second: 1,
            budget_window: Duration::from_secs(10),
            failures_max: 7,
            rest_min: Duration::from_secs(1),
            rest_max: Duration::from_mins(1),
            limited_rest: Duration::from_secs(1),
            asked_max: Duration::from_hours(1),
            key_rest: Duration::from_mins(1),
            trial: Duration::from_secs(10),
        }
    }
}
