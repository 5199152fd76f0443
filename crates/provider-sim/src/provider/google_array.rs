//! Google's framing of a stream without `alt=sse`: one JSON array, element by element, pretty-printed.

use bytes::Bytes;

/// Puts the events of an event stream into array framing: `[{…}`, `\n,\r\n{…}` for each further one, `\n]\n`.
/// An event that is not `data:` (a bare error object, say) is kept as an element of its own.
pub(super) fn frame(events: &[Bytes]) -> Vec<Bytes> {
    let mut parts = Vec::with_capacity(events.len() + 1);
    for event in events {
        let text = String::from_utf8_lossy(event);
        let json = text.trim().strip_prefix("data:").unwrap_or(&text).trim();
        let open = if parts.is_empty() { "[" } else { "\n,\r\n" };
        parts.push(Bytes::from(format!("{open}{}", pretty(json))));
    }
    parts.push(Bytes::from_static(if parts.is_empty() { b"[]\n" } else { b"\n]\n" }));
    parts
}

/// The same JSON text, indented by two; strings, numbers and the order of keys stay as they are written.
fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                out.push('"');
                string(&mut characters, &mut out);
            }
            '{' | '[' => {
                out.push(character);
                depth += 1;
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

/// Copies a string from behind its opening quote to its closing one.
fn string(characters: &mut impl Iterator<Item = char>, out: &mut String) {
    while let Some(character) = characters.next() {
        out.push(character);
        match character {
            '\\' => out.extend(characters.next()),
            '"' => return,
            _ => {}
        }
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_holds_the_same_values_in_googles_framing() {
        let events = crate::provider::events(
            crate::recordings::recording("stream_usage_cumulative_2.5_flash").unwrap(),
        );
        let parts = frame(&events);
        assert_eq!(parts.len(), events.len() + 1);
        assert!(parts[0].starts_with(b"[{\n  \"candidates\": ["));
        assert!(parts[1].starts_with(b"\n,\r\n{\n"));
        assert_eq!(parts.last().unwrap().as_ref(), b"\n]\n");
        let array: Vec<serde_json::Value> = serde_json::from_slice(&parts.concat()).unwrap();
        for (element, event) in array.iter().zip(&events) {
            let expected: serde_json::Value =
                serde_json::from_slice(event.strip_prefix(b"data: ").unwrap()).unwrap();
            assert_eq!(*element, expected);
        }
    }

    #[test]
    fn numbers_and_strings_stay_as_written() {
        assert_eq!(pretty(r#"{"a":1.50,"b":"x\",{"}"#), "{\n  \"a\": 1.50,\n  \"b\": \"x\\\",{\"\n}");
    }
}
