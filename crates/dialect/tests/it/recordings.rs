//! The recorded answers, and arrays made of them: nobody published a recording without `alt=sse`.

use std::{fs, path::Path};

use dialect::Framing;

/// One answer.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) framing: Framing,
    pub(crate) bytes: Vec<u8>,
}

/// Every recorded Gemini answer of `generateContent` and `streamGenerateContent`, and each stream also as an array.
pub(crate) fn gemini() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../provider-sim/recordings/gemini");
    let mut recordings = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).unwrap();
        if name.starts_with("openai_compat") || name.contains("interactions") {
            continue; // other operations
        }
        if path.extension().is_some_and(|extension| extension == "json") {
            recordings.push(Recording { name, framing: Framing::Unary, bytes });
            continue;
        }
        // Framing taken off by whoever recorded it.
        let bytes = if name.contains(".chunks.") { as_events(&bytes) } else { bytes };
        let array = as_array(&bytes);
        recordings.push(Recording {
            name: format!("{name} as an array"),
            framing: Framing::JsonArray,
            bytes: array,
        });
        recordings.push(Recording { name, framing: Framing::Sse, bytes });
    }
    recordings.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(recordings.len() > 30, "the recordings are not where they should be");
    recordings
}

fn as_events(lines: &[u8]) -> Vec<u8> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.flat_map(|line| [b"data: ", line, b"\r\n\r\n"].concat()).collect()
}

/// As Google frames it: elements pretty-printed, `\n,\r\n` between them, `\n]\n` at the end.
fn as_array(events: &[u8]) -> Vec<u8> {
    let mut elements: Vec<String> = Vec::new();
    let text = std::str::from_utf8(events).unwrap();
    let (data, bare) = text.split_at(text.find("\n{").map_or(text.len(), |at| at + 1));
    let payloads =
        data.lines().filter_map(|line| line.strip_prefix("data:")).chain((!bare.is_empty()).then_some(bare));
    for payload in payloads {
        let value: serde_json::Value = serde_json::from_str(payload).unwrap();
        elements.push(serde_json::to_string_pretty(&value).unwrap());
    }
    format!("[{}\n]\n", elements.join("\n,\r\n")).into_bytes()
}
