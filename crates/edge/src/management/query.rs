//! Reads a query string into the same fields as a JSON body; every value is a text there.

use percent_encoding::percent_decode_str;

use super::{
    json::{Entries, Json},
    problem::Problem,
};

/// The pairs of `a=b&c=d`, percent-decoded once, `+` read as a space. A pair that repeats an earlier one exactly is
/// dropped: it says nothing new.
pub(super) fn entries(query: &str) -> Result<Entries, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let pair = (decoded(name)?, decoded(value)?);
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    Ok(pairs.into_iter().map(|(name, value)| (name, Json::Text(value))).collect())
}

fn decoded(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Problem::bad_request("The query string must be UTF-8 when it is decoded."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        let text = |value| match value {
            Json::Text(text) => text,
            _ => unreachable!(),
        };
        entries(query).ok().unwrap().into_iter().map(|(name, value)| (name, text(value))).collect()
    }

    #[test]
    fn values_are_decoded_once() {
        let expected = [("a", "b c"), ("d", "%41"), ("e", ""), ("ü", "&=")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs("a=b+c&d=%2541&&e&%C3%BC=%26%3D"), expected);
    }

    #[test]
    fn a_repeated_pair_counts_once_and_a_contradiction_stays() {
        assert_eq!(pairs("a=1&a=1").len(), 1);
        assert_eq!(pairs("a=1&a=2").len(), 2);
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        assert!(entries("a=%FF").is_err());
    }
}
