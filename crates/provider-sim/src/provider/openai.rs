//! OpenAI's chat completions, as far as the defaults need them.

use bytes::Bytes;

use super::{Asked, Dialect, Natural, Shape, events, filled, model_and_stream, recorded};
use crate::book::Head;

pub(super) fn ask(head: &Head, body: &[u8]) -> Result<Asked, Natural> {
    if head.header("authorization").is_none() {
        return Err(failure(401));
    }
    let (model, shape) = model_and_stream(body).ok_or_else(|| failure(400))?;
    Ok(Asked { dialect: Dialect::OpenAi, shape, model })
}

pub(super) fn success(asked: &Asked, status: u16) -> Natural {
    let (content_type, parts) = match asked.shape {
        Shape::Sse => {
            ("text/event-stream; charset=utf-8", events(recorded("openai/stream_text_gpt-4o-mini.sse")))
        }
        Shape::Unary | Shape::Array => {
            ("application/json", vec![Bytes::from_static(recorded("openai/unary_tool_call.json"))])
        }
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
