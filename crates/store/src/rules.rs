//! What may be and what may not: one file a kind of entity. They read and write rows within one transaction.

pub(crate) mod binding;
mod client_key;
pub(crate) mod definition;
pub(crate) mod endpoint;
pub(crate) mod experiment;
pub(crate) mod mapping;
pub(crate) mod secret;
mod secret_value;

use crate::{
    StoreError, Tag,
    tables::{Constraint, TablesError},
};

/// The longest key of a tag, in characters; MLflow's column.
const TAG_KEY_MAX: usize = 250;
/// The longest value of a tag, in characters; MLflow's column.
const TAG_VALUE_MAX: usize = 5_000;

fn invalid(said: impl Into<String>) -> StoreError {
    StoreError::Invalid(said.into())
}

/// A text of the caller's within a message: without control characters, not too long.
fn shown(text: &str) -> String {
    const MAX: usize = 256;
    let mut shown = String::new();
    for character in text.chars().take(MAX) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A unique key that is taken, in words; every other failure as it is.
fn taken(error: TablesError, constraint: Constraint, said: impl FnOnce() -> String) -> StoreError {
    match error {
        TablesError::Taken(which) if which == constraint => StoreError::AlreadyExists(said()),
        other => other.into(),
    }
}

/// A tag as it may lie in its columns.
fn check_tag(tag: &Tag) -> Result<(), StoreError> {
    check_tag_key(&tag.key)?;
    if tag.value.chars().count() > TAG_VALUE_MAX {
        return Err(invalid(format!("a tag's value must be at most {TAG_VALUE_MAX} characters long")));
    }
    if tag.value.contains('\0') {
        return Err(invalid("a tag's value must not contain NUL"));
    }
    Ok(())
}

fn check_tag_key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() || key.chars().count() > TAG_KEY_MAX {
        return Err(invalid(format!("a tag's key must be 1 to {TAG_KEY_MAX} characters long")));
    }
    if key.chars().any(char::is_control) {
        return Err(invalid("a tag's key may contain only characters that can be shown"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_control_characters() {
        assert_eq!(shown("Gateway ü'"), "Gateway ü'");
        assert_eq!(shown("a\nb\0"), "a\\nb\\u{0}");
        assert_eq!(shown(&"x".repeat(300)).len(), 259);
    }

    #[test]
    fn tags_have_limits() {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        assert!(check_tag(&tag("bad key!@", "")).is_ok());
        assert!(check_tag(&tag(&"k".repeat(250), &"v".repeat(5_000))).is_ok());
        for wrong in [
            tag("", "v"),
            tag(&"k".repeat(251), "v"),
            tag("k\n", "v"),
            tag("k", &"v".repeat(5_001)),
            tag("k", "a\0"),
        ] {
            assert!(matches!(check_tag(&wrong), Err(StoreError::Invalid(_))));
        }
    }
}
