//! The OpenAI API, as far as the defaults need it: which of its operations is asked for, and the usual answer to each.

mod answers;

use bytes::Bytes;

use super::{
    Asked, Dialect, Natural, Operation, Shape, events, filled, form_model, model_and_stream, recorded,
};
use crate::book::Head;

/// Paths behind any base, for `POST`.
const POSTED: [(&str, Operation); 14] = [
    ("/chat/completions", Operation::Chat),
    ("/completions", Operation::Completion),
    ("/responses", Operation::Responses),
    ("/responses/compact", Operation::Compacted),
    ("/responses/input_tokens", Operation::Counted),
    ("/embeddings", Operation::Embeddings),
    ("/moderations", Operation::Moderation),
    ("/images/generations", Operation::Images),
    ("/images/edits", Operation::Images),
    ("/images/variations", Operation::Images),
    ("/audio/speech", Operation::Speech),
    ("/audio/transcriptions", Operation::Transcription),
    ("/audio/translations", Operation::Transcription),
    ("/files", Operation::File),
];

/// What is asked for, if it is an operation of OpenAI's. `path` is without the query.
pub(super) fn operation(head: &Head, path: &str) -> Option<Operation> {
    let gets = |end: &str| head.method == "GET" && path.ends_with(end);
    match POSTED.iter().find(|(end, _)| path.ends_with(end) && head.method == "POST") {
        Some((_, operation)) => Some(*operation),
        None if path.contains("/responses/") => Some(Operation::Responses),
        None if path.contains("/files/") => Some(Operation::File),
        None if gets("/models") => Some(Operation::Models),
        None => None,
    }
}

pub(super) fn ask(head: &Head, body: &[u8], operation: Operation) -> Result<Asked, Natural> {
    let credentials = ["authorization", "api-key"].map(|name| head.header(name));
    match credentials {
        [Some(key), None] | [None, Some(key)] if !key.trim_start_matches("Bearer ").starts_with("bad") => {}
        _ => return Err(failure(401)),
    }
    let form = head.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data"));
    let (model, shape) = match operation {
        Operation::Models | Operation::File => (String::new(), Shape::Unary),
        Operation::Responses if head.method != "POST" => (String::new(), Shape::Unary),
        // Its model may be left out.
        Operation::Moderation => model_and_stream(body).unwrap_or((String::new(), Shape::Unary)),
        _ if form => form_model(body).ok_or_else(|| failure(400))?,
        _ => model_and_stream(body).ok_or_else(|| failure(400))?,
    };
    let base64 = body.windows(BASE64.len()).any(|window| window == BASE64);
    let operation =
        if operation == Operation::Embeddings && base64 { Operation::EmbeddingsBase64 } else { operation };
    Ok(Asked { dialect: Dialect::OpenAi, operation, shape, model })
}

/// What OpenAI's SDKs ask for unless told otherwise.
const BASE64: &[u8] = b"base64";

pub(super) fn success(asked: &Asked, status: u16) -> Natural {
    const EVENTS: &str = "text/event-stream; charset=utf-8";
    let (content_type, parts) = match (asked.operation, asked.shape) {
        (Operation::Chat, Shape::Sse) => (EVENTS, events(recorded("openai/stream_text_gpt-4o-mini.sse"))),
        (Operation::Responses, Shape::Sse) => (EVENTS, events(recorded("openai/responses_stream.sse"))),
        (Operation::Chat, _) => {
            ("application/json", vec![Bytes::from_static(recorded("openai/unary_tool_call.json"))])
        }
        (Operation::Speech, _) => ("audio/mpeg", vec![Bytes::from_static(answers::SOUND)]),
        (operation, Shape::Sse) => (EVENTS, answers::stream(operation)),
        (operation, _) => ("application/json", vec![answers::unary(operation, &asked.model)]),
    };
    natural(status, content_type, parts)
}

pub(super) fn failure(status: u16) -> Natural {
    let (kind, code) = match status {
        400 => ("invalid_request_error", "\"invalid_value\""),
        401 => ("invalid_request_error", "\"invalid_api_key\""),
        404 => ("invalid_request_error", "\"model_not_found\""),
        429 => ("requests", "\"rate_limit_exceeded\""),
        _ => ("server_error", "null"),
    };
    let body = format!(
        "{{\n  \"error\": {{\n    \"message\": \"simulated failure {status}\",\n    \"type\": \"{kind}\",\n    \"param\": \
         null,\n    \"code\": {code}\n  }}\n}}"
    );
    natural(status, "application/json", vec![Bytes::from(body)])
}

fn natural(status: u16, content_type: &str, parts: Vec<Bytes>) -> Natural {
    let mut natural = Natural::new(status, content_type, parts);
    natural.headers.push(("x-request-id".to_owned(), "req_sim".to_owned()));
    natural
}

pub(super) fn generated(shape: Shape, index: u32, chunks: u32, size: usize) -> Option<Bytes> {
    const UNARY: &str = r#"{"id":"chatcmpl-sim","object":"chat.completion","created":1,"model":"sim","choices":[{"index":0,"message":{"role":"assistant","content":"~"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}"#;
    let reason = if index + 1 == chunks { "\"stop\"" } else { "null" };
    match shape {
        Shape::Sse if index < chunks => Some(filled(
            &format!(
                "data: {{\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"sim\",\
                 \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"~\"}},\"finish_reason\":{reason}}}]}}\n\n"
            ),
            index,
            size,
        )),
        Shape::Sse => (index == chunks).then(|| Bytes::from_static(b"data: [DONE]\n\n")),
        Shape::Unary | Shape::Array => {
            (index == 0).then(|| filled(UNARY, 0, size.saturating_mul(chunks as usize)))
        }
    }
}
