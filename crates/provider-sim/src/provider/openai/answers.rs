//! Usual answers of the operations that nobody recorded, in the shapes of OpenAI's API reference.

use bytes::Bytes;

use super::Operation;

/// The beginning of an MPEG audio frame and some bytes that are no text.
pub(super) const SOUND: &[u8] = b"\xff\xfb\x90\x44\x00\x00\x01\x80\xfe\xff\x0d\x0a\x00sound";

/// An answer in one piece; `model` stands in it where the API repeats it.
pub(super) fn unary(operation: Operation, model: &str) -> Bytes {
    let template = match operation {
        Operation::Embeddings => EMBEDDINGS,
        Operation::EmbeddingsBase64 => EMBEDDINGS_BASE64,
        Operation::Responses => RESPONSE,
        Operation::Compacted => COMPACTION,
        Operation::Counted => r#"{"object":"response.input_tokens","input_tokens":11}"#,
        Operation::Completion => COMPLETION,
        Operation::Moderation => MODERATION,
        Operation::Images => {
            r#"{"created":1764000000,"data":[{"b64_json":"aW1hZ2U="}],"usage":{"input_tokens":5,"output_tokens":8,"total_tokens":13}}"#
        }
        Operation::Transcription => {
            r#"{"text":"a simulated voice","usage":{"type":"tokens","input_tokens":14,"output_tokens":4,"total_tokens":18}}"#
        }
        Operation::File => {
            r#"{"id":"file-sim","object":"file","bytes":5,"created_at":1764000000,"filename":"sim.jsonl","purpose":"batch"}"#
        }
        Operation::Models => {
            r#"{"object":"list","data":[{"id":"sim","object":"model","created":1764000000,"owned_by":"sim"}]}"#
        }
        Operation::Chat | Operation::Speech | Operation::Batch => "{}",
    };
    let quoted = serde_json::Value::from(model).to_string();
    Bytes::from(template.replace("\"~\"", &quoted))
}

/// An answer as events.
pub(super) fn stream(operation: Operation) -> Vec<Bytes> {
    let texts: &[&str] = match operation {
        Operation::Transcription => &TRANSCRIPTION,
        Operation::Images => &IMAGES,
        _ => &COMPLETIONS,
    };
    texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
}

const EMBEDDINGS: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,1.0]}],"model":"~","usage":{"prompt_tokens":3,"total_tokens":3}}"#;

/// The same three numbers, as little-endian floats.
const EMBEDDINGS_BASE64: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPwAAgL4AAIA/"}],"model":"~","usage":{"prompt_tokens":3,"total_tokens":3}}"#;

const RESPONSE: &str = r#"{"id":"resp_sim","object":"response","created_at":1764000000,"status":"completed","error":null,"incomplete_details":null,"instructions":null,"model":"~","output":[{"type":"message","id":"msg_sim","status":"completed","role":"assistant","content":[{"type":"output_text","text":"simulated","annotations":[]}]}],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":0},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":16}}"#;

const COMPACTION: &str = r#"{"id":"resp_sim","object":"response.compaction","created_at":1764000000,"output":[{"type":"compaction","id":"cmp_sim","encrypted_content":"c2ltdWxhdGVk"}],"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":0},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":16}}"#;

const COMPLETION: &str = r#"{"id":"cmpl-sim","object":"text_completion","created":1764000000,"model":"~","choices":[{"index":0,"text":"simulated","logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}"#;

const MODERATION: &str = r#"{"id":"modr-sim","model":"omni-moderation-latest","results":[{"flagged":false,"categories":{"violence":false},"category_scores":{"violence":0.0001},"category_applied_input_types":{"violence":["text"]}}]}"#;

const COMPLETIONS: [&str; 3] = [
    "data: {\"id\":\"cmpl-sim\",\"object\":\"text_completion\",\"created\":1764000000,\"model\":\"sim\",\"choices\":[{\"index\":0,\"text\":\"simu\",\"logprobs\":null,\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"cmpl-sim\",\"object\":\"text_completion\",\"created\":1764000000,\"model\":\"sim\",\"choices\":[{\"index\":0,\"text\":\"lated\",\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
];

const TRANSCRIPTION: [&str; 2] = [
    "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a simulated voice\"}\n\n",
    "data: {\"type\":\"transcript.text.done\",\"text\":\"a simulated voice\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\"output_tokens\":4,\"total_tokens\":18}}\n\n",
];

const IMAGES: [&str; 2] = [
    "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"partial_image_index\":0,\"b64_json\":\"aW0=\"}\n\n",
    "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aW1hZ2U=\",\"usage\":{\"input_tokens\":5,\"output_tokens\":8,\"total_tokens\":13}}\n\n",
];
