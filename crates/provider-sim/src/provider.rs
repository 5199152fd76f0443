//! What a provider would answer if nobody told it otherwise: which one is asked, for what, and its usual words.
//!
//! To add another dialect: a module beside [`gemini`] with `ask`, `success`, `failure` and `generated`, and a line for it
//! in each `match` of this file.

mod anthropic;
mod gemini;
mod google_array;
mod openai;

use bytes::Bytes;

use crate::book::Head;
use crate::recordings::recording;

/// What is asked, as the request says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
    pub(crate) shape: Shape,
    pub(crate) model: String,
}

/// Whose language is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Gemini,
    OpenAi,
    Anthropic,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// What a model is mostly asked: the next turn of a conversation.
    Chat,
    Completion,
    Responses,
    Compacted,
    Counted,
    Embeddings,
    EmbeddingsBase64,
    Moderation,
    Images,
    Speech,
    Transcription,
    Batch,
    File,
    Models,
}

/// The framing that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Unary,
    Sse,
    Array,
}

/// A provider's usual answer. The body's parts are its events, so that it can be sent as a provider sends it.
#[derive(Debug, Clone)]
pub(crate) struct Natural {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) parts: Vec<Bytes>,
}

impl Asked {
    /// Reads a request; the error is the provider's refusal of it.
    pub(crate) fn read(head: &Head, body: &[u8]) -> Result<Self, Natural> {
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        if let Some(operation) = anthropic::operation(head, path) {
            return anthropic::ask(head, body, operation);
        }
        match openai::operation(head, path).filter(|_| head.header("x-goog-api-key").is_none()) {
            Some(operation) => openai::ask(head, body, operation),
            None => gemini::ask(head, path, query),
        }
    }

    /// The provider's answer of that status.
    pub(crate) fn natural(&self, status: u16) -> Natural {
        let success = (200..300).contains(&status);
        match (self.dialect, success) {
            (Dialect::Gemini, true) => gemini::success(self, status),
            (Dialect::Gemini, false) => gemini::failure(status, self.shape),
            (Dialect::OpenAi, true) => openai::success(self, status),
            (Dialect::OpenAi, false) => openai::failure(status),
            (Dialect::Anthropic, true) => anthropic::success(self, status),
            (Dialect::Anthropic, false) => anthropic::failure(status),
        }
    }

    /// A recorded body in the framing that was asked for. None if there is no such recording.
    pub(crate) fn play(&self, name: &str) -> Option<Vec<Bytes>> {
        let recorded = recording(name)?;
        let events = events(recorded);
        match self.shape {
            Shape::Array if recorded.starts_with(b"data:") => Some(google_array::frame(&events)),
            _ => Some(events),
        }
    }

    /// Part `index` of a generated answer of `chunks` events of `size` bytes; None behind the last.
    pub(crate) fn generated(&self, index: u32, chunks: u32, size: usize) -> Option<Bytes> {
        match self.dialect {
            Dialect::Gemini => gemini::generated(self.shape, index, chunks, size),
            Dialect::OpenAi => openai::generated(self.shape, index, chunks, size),
            Dialect::Anthropic => anthropic::generated(self.shape, index, chunks, size),
        }
    }
}

impl Natural {
    pub(crate) fn new(status: u16, content_type: &str, parts: Vec<Bytes>) -> Self {
        Self { status, headers: vec![("Content-Type".to_owned(), content_type.to_owned())], parts }
    }
}

/// Cuts a recording behind every blank line. A body that is not an event stream is one part.
pub(crate) fn events(recorded: &'static [u8]) -> Vec<Bytes> {
    if !(recorded.starts_with(b"data:") || recorded.starts_with(b"event:") || recorded.starts_with(b":")) {
        return vec![Bytes::from_static(recorded)];
    }
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    while at < recorded.len() {
        let rest = &recorded[at..];
        let blank = [b"\r\n\r\n".as_slice(), b"\n\n"].into_iter().find(|blank| rest.starts_with(blank));
        at += blank.map_or(1, <[u8]>::len);
        if blank.is_some() {
            parts.push(Bytes::from_static(&recorded[begin..at]));
            begin = at;
        }
    }
    if begin < recorded.len() {
        parts.push(Bytes::from_static(&recorded[begin..]));
    }
    parts
}

/// A recording that the defaults rely on; its absence is said in the body, where a person will look.
fn recorded(name: &str) -> &'static [u8] {
    recording(name).unwrap_or(b"{\"error\": \"provider-sim has no such recording\"}")
}

/// `template` with its `~` replaced by the text `index` and so much filling that the result is `size` bytes long.
fn filled(template: &str, index: u32, size: usize) -> Bytes {
    let number = format!("{index:06} ");
    let fill = size.saturating_sub(template.len() - 1 + number.len());
    Bytes::from(template.replacen('~', &(number + &"x".repeat(fill)), 1))
}

/// The model and whether a stream is wanted, where a body says both (OpenAI, Anthropic).
fn model_and_stream(body: &[u8]) -> Option<(String, Shape)> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let model = value.get("model")?.as_str()?.to_owned();
    let stream = value.get("stream").and_then(serde_json::Value::as_bool).unwrap_or(false);
    Some((model, if stream { Shape::Sse } else { Shape::Unary }))
}

/// The same, where a form says both in fields (OpenAI's audio and images).
fn form_model(body: &[u8]) -> Option<(String, Shape)> {
    let text = String::from_utf8_lossy(body);
    let field = |name: &str| {
        let (_, rest) = text.split_once(&format!("name=\"{name}\""))?;
        let (_, value) = rest.split_once("\r\n\r\n")?;
        value.split("\r\n").next()
    };
    let shape = if field("stream") == Some("true") { Shape::Sse } else { Shape::Unary };
    Some((field("model")?.to_owned(), shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_recording_join_to_the_recording() {
        for (name, recorded) in crate::recordings::recordings() {
            let parts = events(recorded);
            assert_eq!(parts.concat(), recorded, "{name}");
            if std::path::Path::new(name).extension().is_some_and(|extension| extension == "sse") {
                assert!(parts.len() > 1, "{name}");
            }
        }
    }

    #[test]
    fn generated_events_have_the_size_asked_for() {
        for (dialect, shape) in [
            (Dialect::Gemini, Shape::Sse),
            (Dialect::Gemini, Shape::Array),
            (Dialect::OpenAi, Shape::Sse),
            (Dialect::Anthropic, Shape::Sse),
        ] {
            let asked = Asked { dialect, operation: Operation::Chat, shape, model: "m".to_owned() };
            let parts: Vec<Bytes> = (0..).map_while(|index| asked.generated(index, 5, 400)).collect();
            assert_eq!(parts[1].len(), 400, "{dialect:?} {shape:?}");
            assert!(parts.iter().filter(|part| part.len() == 400).count() >= 3, "{dialect:?} {shape:?}");
        }
    }
}
