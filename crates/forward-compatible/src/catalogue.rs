//! The rows that are compiled in.

use std::{collections::BTreeMap, sync::LazyLock};

use forward_http::egress::Policy;

use crate::{Compatible, RowError, WrittenRow};

/// Every provider of `providers.toml`, by each of its names.
///
/// # Errors
/// None for the file as it was released: a test reads it.
pub fn catalogue() -> Result<&'static [Compatible], &'static RowError> {
    static CATALOGUE: LazyLock<Result<Vec<Compatible>, RowError>> =
        LazyLock::new(|| read(include_str!("../providers.toml")));
    CATALOGUE.as_ref().map(Vec::as_slice)
}

fn read(text: &str) -> Result<Vec<Compatible>, RowError> {
    let rows: BTreeMap<String, WrittenRow> = toml::from_str(text)?;
    let policy = Policy::default();
    let mut all = Vec::new();
    for (name, row) in rows {
        all.extend(Compatible::from_config(&name, row, &policy)?);
    }
    Ok(all)
}
