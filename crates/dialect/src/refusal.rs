//! What the gateway itself refuses, in the client's dialect: before the first byte as a whole answer, after it as the
//! last thing in the stream.

use bytes::Bytes;
use fault::Fault;
use serde::Serialize;

use crate::{Dialect, Framing, json};

/// A refusal of the gateway's own. Its message is for the caller: no key, URL, host, internal name or SQL.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// What it is called on every face.
    pub fault: Fault,
    /// What is wrong and what would be right, in one sentence.
    pub message: &'a str,
    /// The request's id, which Anthropic bodies carry.
    pub request_id: &'a str,
}

/// A refusal as one whole HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// `content-type` of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl Refusal<'_> {
    /// The whole answer, for a call that has not been answered yet.
    ///
    /// Gemini answers a stream without `alt=sse` in an array even when it refuses, and google-genai unwraps it (recorded).
    pub fn render(&self, dialect: Dialect, framing: Framing) -> Rendered {
        let mut body = Vec::with_capacity(256);
        let (content_type, before, after) = match (dialect, framing) {
            (Dialect::Gemini, Framing::JsonArray) => (GEMINI_JSON, "[", "]"),
            (Dialect::Gemini, _) => (GEMINI_JSON, "", ""),
            (Dialect::OpenAi | Dialect::Anthropic, _) => ("application/json", "", ""),
        };
        self.write(&mut body, dialect, before, after);
        Rendered { status: self.fault.http(), content_type, body: body.into() }
    }

    /// The last frame of an answer that has begun; after it the transfer is aborted. `first` says that no element of a
    /// JSON array was relayed yet. Empty where nothing can follow what was sent: a body that is not a stream.
    ///
    /// Each form is the one that the SDKs raise on (recorded): Gemini's has an integer `code` and `error` as its first key,
    /// Anthropic's has an event name, OpenAI's has none.
    pub fn frame(&self, dialect: Dialect, framing: Framing, first: bool) -> Bytes {
        let (before, after) = match (dialect, framing) {
            (Dialect::Gemini, Framing::Sse) => ("data: ", "\r\n\r\n"),
            (Dialect::OpenAi, Framing::Sse) => ("data: ", "\n\n"),
            (Dialect::Anthropic, Framing::Sse) => ("event: error\ndata: ", "\n\n"),
            (Dialect::Gemini, Framing::JsonArray) if first => ("[", "]"),
            (Dialect::Gemini, Framing::JsonArray) => (",\r\n", "]"),
            (_, Framing::JsonArray | Framing::Unary | Framing::InBody | Framing::Open) => {
                return Bytes::new();
            }
        };
        let mut frame = Vec::with_capacity(256);
        self.write(&mut frame, dialect, before, after);
        frame.into()
    }

    fn write(&self, written: &mut Vec<u8>, dialect: Dialect, before: &str, after: &str) {
        let row = self.fault.row();
        written.extend_from_slice(before.as_bytes());
        match dialect {
            Dialect::Gemini => json::ascii_into(
                written,
                &Enveloped {
                    error: GeminiError { code: row.http, message: self.message, status: row.google },
                },
            ),
            Dialect::OpenAi => json::ascii_into(
                written,
                &Enveloped {
                    error: OpenAiError {
                        message: self.message,
                        kind: row.openai_type,
                        param: None,
                        code: row.openai_code,
                    },
                },
            ),
            Dialect::Anthropic => json::ascii_into(
                written,
                &AnthropicBody {
                    kind: "error",
                    error: AnthropicError { kind: row.anthropic, message: self.message },
                    request_id: self.request_id,
                },
            ),
        }
        written.extend_from_slice(after.as_bytes());
    }
}

/// As Google sends it.
const GEMINI_JSON: &str = "application/json; charset=UTF-8";

#[derive(Serialize)]
struct Enveloped<E> {
    error: E,
}

/// `google.rpc.Status` as Google's JSON shows it.
#[derive(Serialize)]
struct GeminiError<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: &'static str,
}

#[derive(Serialize)]
struct AnthropicBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: AnthropicError<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}
