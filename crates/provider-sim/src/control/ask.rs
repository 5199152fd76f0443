//! What the query of a request to the control API asks for.

use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::book::Match;
use crate::log::PATIENCE;

/// Which requests, how many of them, and how long to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) wanted: Match,
    /// How many must have come whole; 0 asks for what is there.
    pub(super) at_least: usize,
    pub(super) patience: Duration,
}

/// A query that says something else than is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a query knows `method`, `target`, `header=name:value`, `at_least` and `wait_ms`")]
pub(super) struct NotAsked;

impl Ask {
    pub(super) fn read(query: Option<&str>) -> Result<Self, NotAsked> {
        let mut ask = Self { wanted: Match::any(), at_least: 0, patience: PATIENCE };
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(NotAsked)?;
            let value = percent_decode_str(value).decode_utf8().map_err(|_| NotAsked)?;
            match name {
                "method" => ask.wanted.method = Some(value.into_owned()),
                "target" => ask.wanted.target = Some(value.into_owned()),
                "header" => {
                    let (name, value) = value.split_once(':').ok_or(NotAsked)?;
                    ask.wanted.header = Some((name.to_owned(), value.trim_start().to_owned()));
                }
                "at_least" => ask.at_least = value.parse().map_err(|_| NotAsked)?,
                // No wait outlasts the patience of a test.
                "wait_ms" => {
                    let millis = value.parse().map_err(|_| NotAsked)?;
                    ask.patience = Duration::from_millis(millis).min(PATIENCE);
                }
                _ => return Err(NotAsked),
            }
        }
        Ok(ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_is_wanted() {
        let ask =
            Ask::read(Some("target=%3Astream&header=X-Goog-Api-Key:%20k&at_least=2&wait_ms=5")).unwrap();
        let wanted = Match { target: Some(":stream".to_owned()), ..Match::header("X-Goog-Api-Key", "k") };
        assert_eq!(ask, Ask { wanted, at_least: 2, patience: Duration::from_millis(5) });
        assert_eq!(Ask::read(None).unwrap().patience, PATIENCE);
        for wrong in ["target", "path=x", "header=k", "at_least=-1", "wait_ms=soon", "target=%ff"] {
            assert_eq!(Ask::read(Some(wrong)), Err(NotAsked), "{wrong}");
        }
    }
}
