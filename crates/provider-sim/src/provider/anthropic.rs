//! The Anthropic API, as far as the defaults need it.

use bytes::Bytes;

use super::{Asked, Dialect, Natural, Operation, Shape, events, filled, model_and_stream, recorded};
use crate::book::Head;

/// What is asked for, if it is an operation of Anthropic's. `path` is without the query.
pub(super) fn operation(head: &Head, path: &str) -> Option<Operation> {
    let is_anthropic = head.header("x-api-key").is_some() || head.header("anthropic-version").is_some();
    match head.method.as_str() {
        "POST" if path.ends_with("/v1/messages") => Some(Operation::Chat),
        "POST" if path.ends_with("/v1/messages/count_tokens") => Some(Operation::Counted),
        _ if path.contains("/v1/messages/batches") => Some(Operation::Batch),
        _ if is_anthropic && path.contains("/v1/files") => Some(Operation::File),
        "GET" if is_anthropic && path.ends_with("/v1/models") => Some(Operation::Models),
        _ => None,
    }
}

pub(super) fn ask(head: &Head, body: &[u8], operation: Operation) -> Result<Asked, Natural> {
    let keys = [head.header("x-api-key"), head.header("authorization")];
    if keys == [None, None] || keys.into_iter().flatten().any(|key| key.starts_with("bad")) {
        return Err(failure(401));
    }
    let (model, shape) = match operation {
        Operation::Chat | Operation::Counted => model_and_stream(body).ok_or_else(|| failure(400))?,
        _ => (String::new(), Shape::Unary),
    };
    Ok(Asked { dialect: Dialect::Anthropic, operation, shape, model })
}

pub(super) fn success(asked: &Asked, status: u16) -> Natural {
    let (content_type, parts) = match (asked.operation, asked.shape) {
        (Operation::Chat, Shape::Sse) => {
            ("text/event-stream; charset=utf-8", events(recorded("anthropic/stream_tool_use.sse")))
        }
        (Operation::Chat, _) => {
            ("application/json", vec![Bytes::from_static(recorded("anthropic/unary_parallel_tool_use.json"))])
        }
        (operation, _) => ("application/json", vec![Bytes::from_static(unrecorded(operation).as_bytes())]),
    };
    natural(status, content_type, parts)
}

/// Usual answers of the operations that nobody recorded, in the shapes of Anthropic's API reference.
fn unrecorded(operation: Operation) -> &'static str {
    match operation {
        Operation::Counted => r#"{"input_tokens":11}"#,
        Operation::Batch => {
            r#"{"id":"msgbatch_sim","type":"message_batch","processing_status":"in_progress","request_counts":{"processing":1,"succeeded":0,"errored":0,"canceled":0,"expired":0},"ended_at":null,"created_at":"2026-11-25T00:00:00Z","expires_at":"2026-11-26T00:00:00Z","archived_at":null,"cancel_initiated_at":null,"results_url":null}"#
        }
        Operation::File => {
            r#"{"id":"file_sim","type":"file","filename":"sim.txt","mime_type":"text/plain","size_bytes":5,"created_at":"2026-11-25T00:00:00Z","downloadable":false}"#
        }
        _ => {
            r#"{"data":[{"type":"model","id":"sim","display_name":"Sim","created_at":"2026-11-25T00:00:00Z"}],"has_more":false,"first_id":"sim","last_id":"sim"}"#
        }
    }
}

pub(super) fn failure(status: u16) -> Natural {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    let body = format!(
        "{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":\"simulated failure {status}\"}},\
         \"request_id\":\"req_sim\"}}"
    );
    natural(status, "application/json", vec![Bytes::from(body)])
}

fn natural(status: u16, content_type: &str, parts: Vec<Bytes>) -> Natural {
    let mut natural = Natural::new(status, content_type, parts);
    natural.headers.push(("request-id".to_owned(), "req_sim".to_owned()));
    natural
}

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_sim\",\"type\":\"message\",\
\"role\":\"assistant\",\"content\":[],\"model\":\"sim\",\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":7,\
\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const STOP: &str = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\n\
data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n\n\
event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":\
{\"type\":\"text_delta\",\"text\":\"~\"}}\n\n";
const UNARY: &str = "{\"id\":\"msg_sim\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"sim\",\"content\":\
[{\"type\":\"text\",\"text\":\"~\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":7,\
\"output_tokens\":9}}";

pub(super) fn generated(shape: Shape, index: u32, chunks: u32, size: usize) -> Option<Bytes> {
    match shape {
        Shape::Unary | Shape::Array => {
            (index == 0).then(|| filled(UNARY, 0, size.saturating_mul(chunks as usize)))
        }
        Shape::Sse if index == 0 => Some(Bytes::from_static(START.as_bytes())),
        Shape::Sse if index <= chunks => Some(filled(DELTA, index - 1, size)),
        Shape::Sse => (index == chunks + 1).then(|| Bytes::from_static(STOP.as_bytes())),
    }
}
