//! Reads a request's JSON without losing what a caller may have said twice: objects keep every key in its order.
//!
//! Nothing here has a `Debug`: a value may be a provider's key.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, error::Category};

/// A JSON value as it came.
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Entries),
}

/// The members of an object, in the order in which they came, repeated ones included.
pub(super) type Entries = Vec<(String, Json)>;

/// Why a text is no JSON object. The message names the place, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAnObject {
    /// The text breaks JSON's grammar, nests deeper than 127 levels, or holds a number that no double can hold.
    #[error("is not valid JSON: error at byte {0}")]
    Malformed(usize),
    /// The text ends inside a value.
    #[error("is not valid JSON: it ends too early, at byte {0}")]
    Cut(usize),
    /// Valid JSON of another type.
    #[error("must be a JSON object, but was of type '{0}'")]
    Other(&'static str),
}

/// Reads one object; no text at all is an empty one, as in MLflow.
pub(super) fn object(bytes: &[u8]) -> Result<Entries, NotAnObject> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Entries::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(entries)) => Ok(entries),
        Ok(other) => Err(NotAnObject::Other(other.kind())),
        Err(error) if error.classify() == Category::Eof => Err(NotAnObject::Cut(bytes.len())),
        Err(error) => Err(NotAnObject::Malformed(offset(bytes, error.line(), error.column()))),
    }
}

/// Bytes before the place that `serde_json` calls `line` and `column`: both from 1, columns in bytes.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1));
    (lines.map(<[u8]>::len).sum::<usize>() + column.saturating_sub(1)).min(bytes.len())
}

// === impl Json ===

impl Json {
    /// The name of its type, as JSON Schema says it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Entries::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> NotAnObject {
        object(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn objects_keep_repeated_keys_in_order() {
        let entries = object(br#"{"b":1,"a":null,"b":[{"c":"x"}]}"#).ok().unwrap();
        let keys: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), value.kind())).collect();
        assert_eq!(keys, [("b", "number"), ("a", "null"), ("b", "array")]);
    }

    #[test]
    fn nothing_is_an_empty_object() {
        assert!(object(b"").ok().unwrap().is_empty());
        assert!(object(b" \r\n\t").ok().unwrap().is_empty());
    }

    #[test]
    fn mistakes_name_the_place() {
        assert_eq!(mistake("{not json"), NotAnObject::Malformed(1));
        assert_eq!(mistake("{\"a\": 1,\n \"b\": x}"), NotAnObject::Malformed(15));
        assert_eq!(mistake("{\"a\": 1} {}"), NotAnObject::Malformed(9));
        assert_eq!(mistake("{\"a\": 1e999}"), NotAnObject::Malformed(10));
        assert_eq!(mistake("{\"a\": \"b"), NotAnObject::Cut(8));
        assert_eq!(mistake("[]"), NotAnObject::Other("array"));
        assert_eq!(mistake("null"), NotAnObject::Other("null"));
        assert!(matches!(mistake(&"[".repeat(5000)), NotAnObject::Malformed(_)));
        assert!(object(b"{\"a\": \"\xff\"}").is_err());
    }
}
