//! The leaf of the configuration that this room owns.

use serde::{Deserialize, Serialize};

/// How a process tells what it does. Everything has a default: text logs at `info`, no traces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Form of the log lines on standard error.
    pub format: Format,
    /// Which lines: `tracing-subscriber`'s directives, e.g. `info` or `info,edge=debug`. The default leaves out what the
    /// database's library tells of its own accord.
    pub filter: String,
    /// Where traces go; absent, no trace is made.
    pub otlp: Option<Otlp>,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people: one line of text an event.
    #[default]
    Text,
    /// For machines: one JSON object an event.
    Json,
}

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otlp {
    /// An OTLP collector over gRPC, e.g. `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// The share of calls that are traced where the client did not decide, from 0 to 1. Default 1.
    #[serde(default = "everything")]
    pub sample_ratio: f64,
    /// How long one export may take, in milliseconds. Default 10 000.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u64,
}

const fn everything() -> f64 {
    1.0
}

const fn ten_seconds() -> u64 {
    10_000
}

impl Default for Config {
    fn default() -> Self {
        Self { format: Format::default(), filter: "info,sqlx=warn,sqlx_core=warn".to_owned(), otlp: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_the_default_and_unknown_keys_are_refused() {
        let empty: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Config::default());
        let full: Config = serde_json::from_str(
            r#"{"format":"json","filter":"debug","otlp":{"endpoint":"http://127.0.0.1:4317"}}"#,
        )
        .unwrap();
        assert!((full.otlp.unwrap().sample_ratio - 1.0).abs() < f64::EPSILON);
        assert!(serde_json::from_str::<Config>(r#"{"fromat":"json"}"#).is_err());
    }
}
