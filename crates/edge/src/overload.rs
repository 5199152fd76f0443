//! How much is let in at once. Each step refuses early, before the body is read, and says when to come again: too many
//! calls with one key, of one endpoint, in the process; too little memory left. What runs already is never ended for it.

mod budget;
mod lanes;
mod machine;
mod pressure;

use std::sync::Arc;

use fault::Fault;
use names::EndpointId;

pub(crate) use lanes::{Lane, Place};
pub(crate) use pressure::Level;

use crate::{Config, Problem, config};
use lanes::Lanes;
use pressure::Pressure;

/// What the memory for bodies is where nothing tells how much memory there is, in bytes.
const BODY_MEMORY: u64 = 256 << 20;

/// What is under way, and what may be.
pub(crate) struct Overload {
    limits: config::Overload,
    process: Arc<Lane>,
    keys: Lanes,
    endpoints: Lanes,
    pub(crate) pressure: Pressure,
    /// Bytes that bodies which are kept may take together.
    pub(crate) body_memory: u64,
}

impl Overload {
    /// Nothing is under way.
    pub(crate) fn new(config: &Config) -> Self {
        let limits = config.overload.clone();
        let memory_max = limits.memory_max.or_else(machine::memory_max);
        let share = memory_max.map_or(BODY_MEMORY, |max| max / 100 * u64::from(limits.body_memory_share));
        Self {
            process: Arc::default(),
            keys: Lanes::default(),
            endpoints: Lanes::default(),
            pressure: Pressure::new(&limits, memory_max),
            body_memory: config.requests.body_memory_max.unwrap_or(share),
            limits,
        }
    }

    /// A place in the process.
    pub(crate) fn process(&self) -> Result<Place, Problem> {
        if self.pressure.level() >= Level::Full {
            return Err(refused(Fault::Unavailable, "memory", "the gateway's memory is used up; try again"));
        }
        let max = self.limits.calls_max;
        Lane::enter(&self.process, max).ok_or_else(|| {
            refused(
                Fault::Unavailable,
                "calls_max",
                format!("the gateway has {max} calls under way, its `overload.calls_max`; try again"),
            )
        })
    }

    /// A place among the calls with this client key.
    pub(crate) fn key(&self, key_id: &str) -> Result<Place, Problem> {
        let max = self.limits.calls_per_key_max;
        Lane::enter(&self.keys.of(key_id), max).ok_or_else(|| {
            refused(
                Fault::RateLimited,
                "calls_per_key_max",
                format!(
                    "this client key has {max} calls under way, the gateway's `overload.calls_per_key_max`; try again"
                ),
            )
        })
    }

    /// Whether there is a place left among the calls of this endpoint: asked before a body is read, taken behind it.
    pub(crate) fn has_place(&self, endpoint: &EndpointId) -> Result<(), Problem> {
        let max = self.limits.calls_per_endpoint_max;
        if self.endpoints.of(endpoint.as_str()).running() < max { Ok(()) } else { Err(endpoint_full(max)) }
    }

    /// A place among the calls of this endpoint.
    pub(crate) fn endpoint(&self, endpoint: &EndpointId) -> Result<Place, Problem> {
        let max = self.limits.calls_per_endpoint_max;
        let lane = self.endpoints.of(endpoint.as_str());
        let place = Lane::enter(&lane, max).ok_or_else(|| endpoint_full(max))?;
        lane.budget.note_call();
        Ok(place)
    }

    /// Whether a call of this endpoint may be tried at another target.
    pub(crate) fn may_retry(&self, endpoint: &EndpointId, retries: &config::Retries) -> bool {
        self.endpoints.of(endpoint.as_str()).budget.withdraw(retries)
    }
}

fn endpoint_full(max: u32) -> Problem {
    refused(
        Fault::Unavailable,
        "calls_per_endpoint_max",
        format!(
            "this endpoint has {max} calls under way, the gateway's `overload.calls_per_endpoint_max`; try again"
        ),
    )
}

/// The body of who is refused here is not read, so the connection ends.
fn refused(fault: Fault, reason: &'static str, said: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(fault, reason, said).closing()
}
