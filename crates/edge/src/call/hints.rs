//! How long to wait, as configured and as the client hints. A hint can only shorten.

use std::time::Duration;

use dialect::Framing;
use http::HeaderMap;

use crate::config;

/// google-genai: seconds for the whole call.
const SERVER_TIMEOUT: &str = "x-server-timeout";
/// openai and anthropic: seconds for the whole call.
const STAINLESS_TIMEOUT: &str = "x-stainless-timeout";
/// openai and anthropic: seconds between two reads.
const STAINLESS_READ_TIMEOUT: &str = "x-stainless-read-timeout";

/// The limits of one call. A hint about the whole of it shortens the total of an answer that does not stream and the wait
/// for the first byte of one that does: a stream that runs is worth more than its deadline.
pub(super) fn limits(limits: &config::Limits, framing: Framing, headers: &HeaderMap) -> forward::Limits {
    let whole = [SERVER_TIMEOUT, STAINLESS_TIMEOUT].iter().filter_map(|name| seconds(headers, name)).min();
    let shortened = |limit: Duration, hint: Option<Duration>| hint.map_or(limit, |hint| hint.min(limit));
    let idle = shortened(limits.idle, seconds(headers, STAINLESS_READ_TIMEOUT));
    match framing {
        Framing::Unary => {
            let total = shortened(limits.total_unary, whole);
            forward::Limits {
                connect: limits.connect.min(total),
                first_byte: limits.first_byte_unary.min(total),
                idle: idle.min(total),
                total: Some(total),
            }
        }
        Framing::Sse | Framing::JsonArray | Framing::InBody | Framing::Open => {
            let first_byte = shortened(limits.first_byte_stream, whole);
            forward::Limits { connect: limits.connect.min(first_byte), first_byte, idle, total: None }
        }
    }
}

/// A number of seconds above 0, also with a fraction; anything else is no hint.
fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let seconds: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    // Below a millisecond lies no wish that could be met.
    Duration::try_from_secs_f64(seconds).ok().filter(|hint| hint.as_millis() > 0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(pairs: &[(&'static str, &'static str)], framing: Framing) -> forward::Limits {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        limits(&config::Limits::default(), framing, &headers)
    }

    #[test]
    fn hints_shorten_and_never_lengthen() {
        let plain = with(&[], Framing::Unary);
        assert_eq!(plain.total, Some(Duration::from_mins(10)));
        for ignored in ["0", "-1", "NaN", "inf", "abc", "", "100000", "1e300"] {
            assert_eq!(with(&[("x-server-timeout", ignored)], Framing::Unary), plain, "{ignored}");
        }
        let short = with(&[("x-server-timeout", "2"), ("x-stainless-timeout", "1.5")], Framing::Unary);
        assert_eq!(short.total, Some(Duration::from_millis(1500)));
        assert!(short.connect <= Duration::from_millis(1500));
    }

    #[test]
    fn a_stream_has_no_total() {
        let limits = with(&[("x-server-timeout", "2"), ("x-stainless-read-timeout", "7")], Framing::Sse);
        assert_eq!((limits.total, limits.first_byte.as_secs(), limits.idle.as_secs()), (None, 2, 7));
    }
}
