//! Limits of connections that speak HTTP/2.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;

/// Limits of connections that speak HTTP/2. The defaults are as Envoy recommends them for an edge, with windows small
/// enough that a slow reader stalls its provider soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http2 {
    /// Streams open at once in a connection. Default 100.
    pub streams_max: u32,
    /// Bytes of a head, unpacked. Default 16 KiB.
    #[serde(with = "units::size")]
    pub head_max: u64,
    /// Bytes of a stream that wait for a reader, either way. Default 64 KiB.
    #[serde(with = "units::size")]
    pub stream_window: u64,
    /// Bytes of a connection that wait to be read here. Default 1 MiB.
    #[serde(with = "units::size")]
    pub connection_window: u64,
    /// Without a frame, after which a ping is sent. Default 20 s.
    #[serde(with = "units::duration")]
    pub ping_every: Duration,
    /// How long a ping may go unanswered. Default 10 s.
    #[serde(with = "units::duration")]
    pub ping_patience: Duration,
    /// Streams that were reset before they were looked at, after which the connection is given up. Default 20.
    pub pending_resets_max: usize,
    /// Streams that were reset here for the client's mistakes, after which the connection is given up. Default 128.
    pub mistakes_max: usize,
    /// Bytes of the table that heads are unpacked with. Default 4 KiB.
    #[serde(with = "units::size")]
    pub header_table: u64,
}

impl Default for Http2 {
    fn default() -> Self {
        Self {
            streams_max: 100,
            head_max: 16 << 10,
            stream_window: 64 << 10,
            connection_window: 1 << 20,
            ping_every: Duration::from_secs(20),
            ping_patience: Duration::from_secs(10),
            pending_resets_max: 20,
            mistakes_max: 128,
            header_table: 4 << 10,
        }
    }
}
