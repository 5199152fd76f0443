//! Gemini's dialect.

use crate::{Call, PathError};

/// Parses what follows the prefix `/gateway/gemini` of a data-plane path, as it stood on the wire, and its query.
pub fn parse(_path: &str, _query: Option<&str>) -> Result<Call, PathError> {
    Err(PathError::NoSuchPath)
}
