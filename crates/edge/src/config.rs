//! The leaf of the configuration that this room owns: every limit of the edge, with its unit and its default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

mod http2;
mod overload;
mod retries;
mod units;

pub use http2::Http2;
pub use overload::Overload;
pub use retries::Retries;

/// How an edge takes calls. Everything has a default; durations are written `250ms`, `10s`, `5m`, `1h`, sizes `512B`,
/// `32KiB`, `4MiB`, `1GiB`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Hosts (with a port, or without one for any port) that requests may name; every host when empty. Listeners on a
    /// loopback address take, beyond these, only loopback names, whatever stands here.
    pub hosts: Vec<String>,
    /// Limits of connections.
    pub connections: Connections,
    /// Limits of connections that speak HTTP/2.
    pub http2: Http2,
    /// Limits of requests.
    pub requests: Requests,
    /// How much is let in at once.
    pub overload: Overload,
    /// When another target is tried, and when one rests.
    pub retries: Retries,
    /// How long to wait for providers; a client's hint can only shorten these.
    pub limits: Limits,
}

/// Limits of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// Open at once in a listener; one more is closed at once. Default 10 000.
    pub max: usize,
    /// Open at once from one source: an IPv4 address, an IPv6 /64. Default 256. Loopback sources are counted only
    /// against `max`: there a proxy or every process of a machine stands behind one address.
    pub max_per_source: usize,
    /// From accepting to the end of the TLS handshake. Default 10 s.
    #[serde(with = "units::duration")]
    pub tls_handshake: Duration,
    /// From accepting (or the handshake's end) until HTTP's version is known. Default 10 s.
    #[serde(with = "units::duration")]
    pub first_byte: Duration,
    /// From the first byte of a request's head to its last. Default 10 s.
    #[serde(with = "units::duration")]
    pub head: Duration,
    /// Between two requests. Default 75 s: SDKs reuse connections, and google-genai does not repeat a call whose
    /// connection was closed under it.
    #[serde(with = "units::duration")]
    pub idle: Duration,
    /// Without a byte leaving while bytes wait to leave: the client does not read. Default 60 s.
    #[serde(with = "units::duration")]
    pub write_stall: Duration,
    /// Age, give or take a tenth, after which a connection is asked to end gracefully. Default 1 h.
    #[serde(with = "units::duration")]
    pub age_max: Duration,
}

/// Limits of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// Bytes of a body on Gemini paths. Default 140 MiB: 100 MB of inline data in base64.
    #[serde(with = "units::size")]
    pub gemini_body_max: u64,
    /// Bytes of a body on OpenAI and unified paths whose body names the endpoint. Default 64 MiB: 50 MB of images.
    #[serde(with = "units::size")]
    pub openai_body_max: u64,
    /// Bytes of a body on Anthropic paths whose body names the endpoint. Default 32 MiB, Anthropic's own limit.
    #[serde(with = "units::size")]
    pub anthropic_body_max: u64,
    /// Bytes of a body that passes as it comes: files, and whatever goes through the raw proxy. Default 2 GiB.
    #[serde(with = "units::size")]
    pub resource_body_max: u64,
    /// Bytes of a body on management paths. Default 1 MiB.
    #[serde(with = "units::size")]
    pub management_body_max: u64,
    /// Without the first byte of a body. Default 10 s.
    #[serde(with = "units::duration")]
    pub body_first_byte: Duration,
    /// Over which the rate of a body is averaged; only time spent waiting for the client counts. Default 15 s.
    #[serde(with = "units::duration")]
    pub body_window: Duration,
    /// Bytes a second that a body must bring over `body_window`. Default 1 KiB.
    #[serde(with = "units::size")]
    pub body_rate_min: u64,
    /// Waiting for the client during one body in all. Default 10 min: the rate is what keeps slow senders out, this
    /// only bounds them, and 140 MiB over a home connection take their time.
    #[serde(with = "units::duration")]
    pub body_total: Duration,
    /// Bytes of a body that is kept for a second target. Default 4 MiB; a larger body gets one attempt.
    #[serde(with = "units::size")]
    pub replay_body_max: u64,
    /// Bytes of all bodies that are kept: those that must be read whole because they name the endpoint, and those for
    /// second targets. Default `overload.body_memory_share` of the memory that this process may take; beyond it the
    /// former are refused (503) and the latter get one attempt.
    #[serde(with = "units::optional_size", skip_serializing_if = "Option::is_none")]
    pub body_memory_max: Option<u64>,
}

/// How long to wait for providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Name look-up, TCP and TLS together. Default 10 s.
    #[serde(with = "units::duration")]
    pub connect: Duration,
    /// From the request's last byte to the status of an answer that streams. Default 5 min: models think first.
    #[serde(with = "units::duration")]
    pub first_byte_stream: Duration,
    /// The same for an answer that does not stream. Default 10 min.
    #[serde(with = "units::duration")]
    pub first_byte_unary: Duration,
    /// Between two reads of an answer. Default 2 min.
    #[serde(with = "units::duration")]
    pub idle: Duration,
    /// From start to end of a call that does not stream. Default 10 min.
    #[serde(with = "units::duration")]
    pub total_unary: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            max: 10_000,
            max_per_source: 256,
            tls_handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            write_stall: Duration::from_mins(1),
            age_max: Duration::from_hours(1),
        }
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            gemini_body_max: 140 << 20,
            openai_body_max: 64 << 20,
            anthropic_body_max: 32 << 20,
            resource_body_max: 2 << 30,
            management_body_max: 1 << 20,
            body_first_byte: Duration::from_secs(10),
            body_window: Duration::from_secs(15),
            body_rate_min: 1 << 10,
            body_total: Duration::from_mins(10),
            replay_body_max: 4 << 20,
            body_memory_max: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte_stream: Duration::from_mins(5),
            first_byte_unary: Duration::from_mins(10),
            idle: Duration::from_mins(2),
            total_unary: Duration::from_mins(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_unknown_keys_are_refused() {
        let text = serde_json::to_string(&Config::default()).unwrap();
        assert!(text.contains(r#""idle":"75s""#) && text.contains(r#""replay_body_max":"4MiB""#), "{text}");
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), Config::default());
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), Config::default());
        assert!(serde_json::from_str::<Config>(r#"{"host":[]}"#).is_err());
        assert!(serde_json::from_str::<Config>(r#"{"connections":{"idle":"75"}}"#).is_err());
    }
}
