//! The grammar of Gemini paths, taken from the wire: decoded once, never normalised.

use std::borrow::Cow;

use names::EndpointName;
use percent_encoding::percent_decode_str;

use crate::{PathError, Version};

/// A path in pieces: `/{version}/models[/{name}[:{method}]]`.
pub(super) struct Path<'a> {
    pub(super) version: Version,
    /// Decoded; none for the listing.
    pub(super) name: Option<Cow<'a, str>>,
    /// Decoded; what follows the last colon, if there is one.
    pub(super) method: Option<Cow<'a, str>>,
}

impl<'a> Path<'a> {
    pub(super) fn parse(path: &'a str) -> Result<Self, PathError> {
        let path = path.strip_prefix('/').ok_or(PathError::NoSuchPath)?;
        check_wire(path)?;
        decode(path)?;
        // Version and `models` are compared as they came: an escape in them is not worth a second spelling.
        let (version, rest) = match path.split_once('/') {
            Some((segment, rest)) if segment != MODELS => (Version::parse(segment), rest),
            _ => (Some(Version::UNSTATED), path),
        };
        let version = version.ok_or(PathError::NoSuchPath)?;
        if rest == MODELS {
            return Ok(Self { version, name: None, method: None });
        }
        let rest =
            rest.strip_prefix(MODELS).and_then(|rest| rest.strip_prefix('/')).ok_or(PathError::NoSuchPath)?;
        let (name, method) = split_method(decode(rest)?);
        Ok(Self { version, name: Some(name), method })
    }
}

/// The endpoint that a decoded name means; one leading `models/` is not part of it, as some clients double it.
pub(super) fn endpoint(name: &str) -> Result<EndpointName, PathError> {
    let name = name.strip_prefix("models/").unwrap_or(name);
    if is_dots(name) {
        return Err(PathError::Malformed("a dot segment stands where a name should"));
    }
    EndpointName::parse(name).map_err(|_| PathError::NoSuchEndpoint)
}

const MODELS: &str = "models";

/// Names may hold colons themselves, so the last one counts (recorded: `models/a/b%20c:%C3%A9:generateContent`).
fn split_method(rest: Cow<'_, str>) -> (Cow<'_, str>, Option<Cow<'_, str>>) {
    match rest {
        Cow::Borrowed(rest) => match rest.rsplit_once(':') {
            Some((name, method)) => (name.into(), Some(method.into())),
            None => (rest.into(), None),
        },
        Cow::Owned(rest) => match rest.rsplit_once(':') {
            Some((name, method)) => (name.to_owned().into(), Some(method.to_owned().into())),
            None => (rest.into(), None),
        },
    }
}

/// Refuses what no client sends in a path on purpose, before anything is decoded.
fn check_wire(path: &str) -> Result<(), PathError> {
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(PathError::Malformed("only printable ASCII may stand in it unescaped"));
    }
    if path.split('/').any(|segment| segment.is_empty() || is_dots(segment)) {
        return Err(PathError::NotNormal);
    }
    Ok(())
}

/// Decodes once; what is still or only then a trick is refused.
fn decode(path: &str) -> Result<Cow<'_, str>, PathError> {
    if has_escape(path, false) {
        return Err(PathError::Malformed("a percent sign is not followed by two hexadecimal digits"));
    }
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| PathError::Malformed("its percent-encoded bytes are not UTF-8"))?;
    if has_escape(&decoded, true) {
        return Err(PathError::Malformed("it is percent-encoded twice"));
    }
    if decoded.chars().any(|c| c.is_control() || matches!(c, '\\' | ';')) {
        return Err(PathError::Malformed(
            "control characters, backslashes and semicolons have no place in it",
        ));
    }
    if decoded.split('/').any(|segment| segment.is_empty() || is_dots(segment)) {
        return Err(PathError::Malformed("it hides a dot segment or an empty segment in percent-encoding"));
    }
    Ok(decoded)
}

/// Whether a percent sign is followed by two hexadecimal digits (`valid`), or is not (`!valid`).
fn has_escape(text: &str, valid: bool) -> bool {
    let bytes = text.as_bytes();
    let is_escape =
        |at: usize| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    memchr::memchr_iter(b'%', bytes).any(|at| is_escape(at) == valid)
}

fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}
