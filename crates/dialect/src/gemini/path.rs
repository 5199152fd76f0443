//! The grammar of Gemini paths.

use std::borrow::Cow;

use crate::{PathError, Version, path::decode};

/// A path in pieces. It was checked.
pub(super) struct Path<'a> {
    pub(super) version: Version,
    pub(super) rest: Rest<'a>,
}

/// What follows the version.
pub(super) enum Rest<'a> {
    /// `models`
    Models,
    /// `models/{name}[:{method}]`, decoded; the method is what follows the last colon.
    Model(Cow<'a, str>, Option<Cow<'a, str>>),
    /// Anything else, as it was written.
    Other(&'a str),
}

const MODELS: &str = "models";

impl<'a> Path<'a> {
    /// Takes a path behind its slash.
    pub(super) fn parse(path: &'a str) -> Result<Self, PathError> {
        // Version and `models` are compared as they came: an escape in them is not worth a second spelling.
        let (version, rest) = match path.split_once('/') {
            Some((segment, rest)) if segment != MODELS => (Version::parse(segment), rest),
            _ => (Some(Version::UNSTATED), path),
        };
        let version = version.ok_or(PathError::NoSuchPath)?;
        let rest = match rest.strip_prefix(MODELS) {
            Some("") => Rest::Models,
            Some(name) if name.starts_with('/') && !is_operations(name) => model(&name[1..])?,
            _ if rest == path => return Err(PathError::NoSuchPath),
            _ => Rest::Other(rest),
        };
        Ok(Self { version, rest })
    }
}

/// Whether this is `/{model}/operations…`: what runs long at the provider, named after the provider's own model.
fn is_operations(below_models: &str) -> bool {
    below_models.split('/').nth(2) == Some("operations")
}

fn model(written: &str) -> Result<Rest<'_>, PathError> {
    let decoded = decode(written)?;
    let (name, method) = split_method(decoded);
    Ok(Rest::Model(name, method))
}

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
