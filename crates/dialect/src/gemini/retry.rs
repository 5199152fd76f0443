//! When to come again, as Google's refusals say it.

use std::time::Duration;

use serde::Deserialize;

/// A refusal as far as it is read (`google.rpc.Status`); a stream without `alt=sse` is refused in an array.
#[derive(Deserialize)]
#[serde(untagged)]
enum Refusal {
    // First, because a sequence could be read as the fields of one.
    Array([Enveloped; 1]),
    One(Enveloped),
}

#[derive(Deserialize)]
struct Enveloped {
    error: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    details: Vec<Detail>,
}

/// One of many kinds of detail: `google.rpc.RetryInfo` has a delay.
#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "@type", default)]
    kind: String,
    #[serde(rename = "retryDelay")]
    retry_delay: Option<String>,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// The delay that `RetryInfo` asks for in a refusal's body, where it has one.
pub fn retry_after(refusal: &[u8]) -> Option<Duration> {
    let status = match serde_json::from_slice(refusal).ok()? {
        Refusal::One(enveloped) | Refusal::Array([enveloped]) => enveloped.error,
    };
    let infos = status.details.into_iter().filter(|detail| detail.kind == RETRY_INFO);
    infos.filter_map(|info| duration(&info.retry_delay?)).max()
}

/// A `google.protobuf.Duration` in JSON: seconds, perhaps with a fraction, and an `s`.
fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_refusal_says_when() {
        let recorded =
            include_bytes!("../../../provider-sim/recordings/gemini/vercel_error_429_retry_info.json");
        assert_eq!(retry_after(recorded), Some(Duration::from_millis(34_400)));
        assert_eq!(
            retry_after(&[b"[", recorded.as_slice(), b"]"].concat()),
            Some(Duration::from_millis(34_400))
        );
        let none = include_bytes!("../../../provider-sim/recordings/gemini/firebase_error_quota_429.json");
        assert_eq!(retry_after(none), None);
    }

    #[test]
    fn delays_that_are_none() {
        for delay in ["", "s", "5", "-1s", "NaNs", "infs", "1e300s", "5 s"] {
            let refusal = format!(
                r#"{{"error":{{"details":[{{"@type":"{RETRY_INFO}","retryDelay":"{delay}"}},{{"@type":"x"}},{{}}]}}}}"#
            );
            assert_eq!(retry_after(refusal.as_bytes()), None, "{delay}");
        }
        for refusal in ["", "{}", "[]", "null", r#"{"error":{"details":{}}}"#] {
            assert_eq!(retry_after(refusal.as_bytes()), None, "{refusal}");
        }
    }
}
