//! How much is let in at once: the steps at which calls are refused, early and cheaply, before the process suffers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;

/// How much is let in at once. Who is refused is told when to come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overload {
    /// Calls under way at once, streams included, with one client key; one more is refused (429). Default 1 000.
    pub calls_per_key_max: u32,
    /// Calls under way at once of one endpoint; one more is refused (503). Default 5 000.
    pub calls_per_endpoint_max: u32,
    /// Calls under way at once in this process; one more is refused (503). Default 10 000. Probes, metrics and management
    /// are not counted: they are answered when calls are not.
    pub calls_max: u32,
    /// Bytes that this process may take. Default the limit of its control group (version 2 or 1), or the machine's memory
    /// where there is none.
    #[serde(with = "units::optional_size", skip_serializing_if = "Option::is_none")]
    pub memory_max: Option<u64>,
    /// Percent of `memory_max` that bodies which are kept may take together, where `requests.body_memory_max` does not
    /// say. Default 25.
    #[serde(with = "units::percent")]
    pub body_memory_share: u8,
    /// Percent of `memory_max` from which on connections are closed behind their answers. Default 85.
    #[serde(with = "units::percent")]
    pub memory_tight: u8,
    /// Percent of `memory_max` from which on new calls are refused (503); what runs goes on. Default 92.
    #[serde(with = "units::percent")]
    pub memory_full: u8,
    /// Percent of `memory_max` from which on new connections are closed at once. Default 95.
    #[serde(with = "units::percent")]
    pub memory_out: u8,
    /// How old a reading of this process's memory may be. Default 100 ms.
    #[serde(with = "units::duration")]
    pub memory_look: Duration,
}

impl Default for Overload {
    fn default() -> Self {
        Self {
            calls_per_key_max: 1_000,
            calls_per_endpoint_max: 5_000,
            calls_max: 10_000,
            memory_max: None,
            body_memory_share: 25,
            memory_tight: 85,
            memory_full: 92,
            memory_out: 95,
            memory_look: Duration::from_millis(100),
        }
    }
}
