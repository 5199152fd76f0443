//! Answers as tables for people, or as the API's JSON for scripts.

use std::io::Write as _;

use serde_json::Value;

use super::{Connection, client::Kind};

/// Columns of a table: heading, and how to read the cell from an item. A cell may have several lines.
pub(crate) type Columns = &'static [(&'static str, fn(&Value) -> String)];

/// Between two columns.
const GAP: &str = "  ";

/// Prints a list.
pub(crate) fn list(connection: &Connection, kind: &Kind, columns: Columns, answer: &Value) {
    if connection.json {
        return json(answer);
    }
    let items = answer.get(kind.list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        return line(&format!("no {}s", kind.word));
    }
    line(&rows(columns, items));
}

/// Prints one.
pub(crate) fn one(connection: &Connection, kind: &Kind, columns: Columns, answer: &Value) {
    match answer.get(kind.one) {
        Some(item) if !connection.json => line(&rows(columns, std::slice::from_ref(item))),
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

/// A map's entries as `key=value`, in order of key. MLflow's API has lists of `{key, value}` in some places.
pub(crate) fn entries(item: &Value, key: &str) -> String {
    let shown = |key: &str, value: &Value| format!("{key}={}", value.as_str().unwrap_or_default());
    let mut entries: Vec<_> = match item.get(key) {
        Some(Value::Object(fields)) => fields.iter().map(|(key, value)| shown(key, value)).collect(),
        Some(Value::Array(pairs)) => pairs
            .iter()
            .map(|pair| shown(&text(pair, "key"), pair.get("value").unwrap_or(&Value::Null)))
            .collect(),
        _ => Vec::new(),
    };
    entries.sort();
    entries.join("\n")
}

fn json(answer: &Value) {
    line(&serde_json::to_string_pretty(answer).unwrap_or_default());
}

/// Headings and cells, each column as wide as its widest line.
fn rows(columns: Columns, items: &[Value]) -> String {
    let heading = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let cells = items.iter().map(|item| columns.iter().map(|(_, cell)| shown(&cell(item))).collect());
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(cells).collect();
    let widest = |cell: &String| cell.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| rows.iter().map(|row| widest(&row[column])).max().unwrap_or(0))
        .collect();
    let mut lines = Vec::new();
    for row in &rows {
        let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or(1);
        for at in 0..height {
            let cells = row.iter().zip(&widths);
            let cells =
                cells.map(|(cell, width)| format!("{:<width$}", cell.lines().nth(at).unwrap_or_default()));
            lines.push(cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// A name that somebody else chose does not move the cursor of who reads it.
fn shown(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: Columns = &[("NAME", |item| text(item, "name")), ("VALUE", |item| entries(item, "value"))];

    #[test]
    fn columns_line_up_and_cells_may_have_lines() {
        let items = [
            json!({ "name": "a-longer-name", "value": { "b": "2", "a": "1" } }),
            json!({ "name": "x\u{1b}[31m", "value": [{ "key": "k", "value": "v" }] }),
        ];
        let table = rows(COLUMNS, &items);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "NAME           VALUE");
        assert_eq!(lines[1], "a-longer-name  a=1");
        assert_eq!(lines[2], "               b=2");
        assert_eq!(lines[3], "x\u{fffd}[31m         k=v");
    }
}
