//! Answers as tables for people, or as the API's JSON for scripts.

use std::io::Write as _;

use comfy_table::{Table, presets};
use serde_json::Value;

use super::{Connection, client::Kind};

/// Columns of a table: heading, and how to read the cell from an item.
pub(crate) type Columns = &'static [(&'static str, fn(&Value) -> String)];

/// Prints a list.
pub(crate) fn list(connection: &Connection, kind: &Kind, columns: Columns, answer: &Value) {
    if connection.json {
        return json(answer);
    }
    let items = answer.get(kind.list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        return line(&format!("no {}s", kind.word));
    }
    rows(columns, items);
}

/// Prints one.
pub(crate) fn one(connection: &Connection, kind: &Kind, columns: Columns, answer: &Value) {
    match answer.get(kind.one) {
        Some(item) if !connection.json => rows(columns, std::slice::from_ref(item)),
        _ => json(answer),
    }
}

/// Prints that something was done.
pub(crate) fn done(connection: &Connection, answer: &Value, said: &str) {
    if connection.json { json(answer) } else { line(said) }
}

/// Prints a line; a reader that went away (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// The text of a field, empty where it is not there.
pub(crate) fn text(item: &Value, key: &str) -> String {
    match item.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// A map's entries as `key=value`, in order of key.
pub(crate) fn entries(item: &Value, key: &str) -> String {
    let fields = item.get(key).and_then(Value::as_object);
    let mut entries: Vec<_> = fields
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    entries.sort();
    entries.join("\n")
}

fn json(answer: &Value) {
    line(&serde_json::to_string_pretty(answer).unwrap_or_default());
}

fn rows(columns: Columns, items: &[Value]) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    for item in items {
        table.add_row(columns.iter().map(|(_, cell)| cell(item)));
    }
    line(&table.to_string());
}
