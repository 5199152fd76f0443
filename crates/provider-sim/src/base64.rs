//! Bytes in JSON, as base64 with padding (RFC 4648 section 4): a body need not be text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{Deserialize as _, Deserializer, Error as _};
use serde::ser::{SerializeMap as _, Serializer};

pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    STANDARD.decode(text.as_bytes()).map(Bytes::from).map_err(D::Error::custom)
}

/// As `body`, for people, and as `body_base64`, which loses nothing.
pub(crate) fn beside_text<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    let mut both = serializer.serialize_map(Some(2))?;
    both.serialize_entry("body", &String::from_utf8_lossy(body))?;
    both.serialize_entry("body_base64", &STANDARD.encode(body))?;
    both.end()
}
