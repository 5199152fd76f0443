//! What may stand in a path, taken from the wire: decoded once, never normalised.

use std::borrow::Cow;

use names::EndpointName;
use percent_encoding::percent_decode_str;

use crate::PathError;

/// The endpoint that a decoded name means.
pub(crate) fn endpoint(name: &str) -> Result<EndpointName, PathError> {
    if is_dots(name) {
        return Err(PathError::Malformed("a dot segment stands where a name should"));
    }
    EndpointName::parse(name).map_err(|_| PathError::NoSuchEndpoint)
}

/// Refuses what no client sends in a path on purpose, before and after it is decoded. `path` begins behind its slash.
pub(crate) fn check(path: &str) -> Result<(), PathError> {
    check_wire(path)?;
    decode(path).map(drop)
}

/// `rest`, which was checked, as a path that goes on as it is written. An encoded slash would be a slash to some and not
/// to others.
pub(crate) fn passed(rest: &str) -> Result<String, PathError> {
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    if slashes(rest) != slashes(&decode(rest)?) {
        return Err(PathError::Malformed("an encoded slash has no place in it"));
    }
    Ok(format!("/{rest}"))
}

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
pub(crate) fn decode(path: &str) -> Result<Cow<'_, str>, PathError> {
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
