//! Without a script it behaves as the provider does.

use provider_sim::{Sim, recording};

use crate::{body, call, chunks, exchange};

const STREAM: &str = "stream_usage_cumulative_2.5_flash";

#[tokio::test]
async fn a_unary_call_gets_a_recorded_answer() {
    let sim = Sim::start().await.unwrap();
    let (answer, read) = exchange(&sim.http1_url(), &call("generateContent", "m")).await;
    assert!(read.is_ok());
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\n"));
    assert_eq!(body(&answer), recording("unary_vertex_logprobs_2.5_flash").unwrap());
}

#[tokio::test]
async fn a_stream_comes_event_by_event_exactly_as_recorded() {
    let sim = Sim::start().await.unwrap();
    let (answer, _) = exchange(&sim.http1_url(), &call("streamGenerateContent?alt=sse", "m")).await;
    let (chunks, ended) = chunks(&body(&answer));
    assert!(ended);
    assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.ends_with(b"\r\n\r\n")));
    assert_eq!(chunks.concat(), recording(STREAM).unwrap());
}

#[tokio::test]
async fn without_alt_a_stream_is_one_json_array() {
    let sim = Sim::start().await.unwrap();
    let (answer, _) = exchange(&sim.http1_url(), &call("streamGenerateContent", "m")).await;
    let (chunks, ended) = chunks(&body(&answer));
    assert!(ended && chunks[0].starts_with(b"[{") && chunks[1].starts_with(b"\n,\r\n{"));
    let array: Vec<serde_json::Value> = serde_json::from_slice(&chunks.concat()).unwrap();
    assert_eq!(array.len() + 1, chunks.len());
    assert_eq!(array.last().unwrap()["candidates"][0]["finishReason"], "STOP");
}

#[tokio::test]
async fn credentials_and_paths_are_checked_as_google_does() {
    let sim = Sim::start().await.unwrap();
    for (from, to, status) in [
        ("X-Goog-Api-Key: k\r\n", "", "403"),
        ("X-Goog-Api-Key: k\r\n", "X-Goog-Api-Key: k\r\nAuthorization: Bearer k\r\n", "400"),
        ("X-Goog-Api-Key: k\r\n", "X-Goog-Api-Key: bad\r\n", "400"),
        (":generateContent", ":noSuchMethod", "404"),
    ] {
        let request = call("generateContent", "m").replace(from, to);
        let (answer, _) = exchange(&sim.http1_url(), &request).await;
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{to}");
        let error: serde_json::Value = serde_json::from_slice(&body(&answer)).unwrap();
        assert_eq!(error["error"]["code"].to_string(), status);
    }
}

#[tokio::test]
async fn openai_and_anthropic_have_their_defaults() {
    let sim = Sim::start().await.unwrap();
    for (path, stream, expected) in [
        ("/v1/chat/completions", false, "openai/unary_tool_call.json"),
        ("/v1/chat/completions", true, "openai/stream_text_gpt-4o-mini.sse"),
        ("/v1/messages", false, "anthropic/unary_parallel_tool_use.json"),
        ("/v1/messages", true, "anthropic/stream_tool_use.sse"),
    ] {
        let asked = format!("{{\"model\":\"m\",\"stream\":{stream}}}");
        let length = asked.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nAuthorization: Bearer k\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{asked}"
        );
        let (answer, _) = exchange(&sim.http1_url(), &request).await;
        let body = body(&answer);
        let whole = if stream { chunks(&body).0.concat() } else { body.to_vec() };
        assert_eq!(whole, recording(expected).unwrap(), "{path} {stream}");
    }
}

/// What a JSON answer must say, for a call of each operation.
#[tokio::test]
async fn every_operation_has_an_answer_of_its_own_shape() {
    let sim = Sim::start().await.unwrap();
    for (line, key, body, part) in [
        (
            "POST /v1/embeddings",
            "Authorization: Bearer k",
            r#"{"model":"m","input":"x"}"#,
            r#""embedding":[0.5,"#,
        ),
        (
            "POST /a/v1/embeddings",
            "api-key: k",
            r#"{"model":"m","encoding_format":"base64"}"#,
            r#""embedding":"AAAAPw"#,
        ),
        (
            "POST /v1/completions",
            "Authorization: Bearer k",
            r#"{"model":"m"}"#,
            r#""object":"text_completion""#,
        ),
        ("POST /v1/responses", "Authorization: Bearer k", r#"{"model":"m"}"#, r#""object":"response""#),
        ("GET /v1/responses/resp_1", "Authorization: Bearer k", "", r#""object":"response""#),
        ("POST /v1/responses/compact", "Authorization: Bearer k", r#"{"model":"m"}"#, "response.compaction"),
        ("POST /v1/responses/input_tokens", "Authorization: Bearer k", r#"{"model":"m"}"#, "input_tokens"),
        ("POST /v1/moderations", "Authorization: Bearer k", r#"{"input":"x"}"#, "modr-"),
        ("POST /v1/images/generations", "Authorization: Bearer k", r#"{"model":"m"}"#, "b64_json"),
        ("GET /v1/models", "Authorization: Bearer k", "", r#""object":"list""#),
        ("GET /v1/models", "X-Api-Key: k", "", r#""has_more":false"#),
        ("POST /v1/messages/count_tokens", "X-Api-Key: k", r#"{"model":"m"}"#, r#"{"input_tokens":11}"#),
        ("POST /v1/messages/batches", "X-Api-Key: k", r#"{"requests":[]}"#, "message_batch"),
        ("GET /v1/files/file_1", "X-Api-Key: k", "", r#""type":"file""#),
        ("GET /v1/files/file-1", "Authorization: Bearer k", "", r#""object":"file""#),
    ] {
        let answer = json(&sim, line, key, "application/json", body).await;
        assert!(answer.contains(part), "{line}: {answer}");
    }
}

#[tokio::test]
async fn forms_and_sounds() {
    let sim = Sim::start().await.unwrap();
    let form = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--x--\r\n";
    let kind = "multipart/form-data; boundary=x";
    let key = "Authorization: Bearer k";
    let answer = json(&sim, "POST /v1/audio/transcriptions", key, kind, form).await;
    assert!(answer.contains("a simulated voice"), "{answer}");
    let streamed =
        form.replace("--x--", "--x\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--x--");
    let answer = json(&sim, "POST /v1/audio/transcriptions", key, kind, &streamed).await;
    assert!(answer.contains("transcript.text.done"), "{answer}");
    let refused = json(&sim, "POST /v1/audio/transcriptions", key, kind, "--x--\r\n").await;
    assert!(refused.contains("simulated failure 400"), "{refused}");
    let sound = json(&sim, "POST /v1/audio/speech", key, "application/json", r#"{"model":"m"}"#).await;
    assert!(sound.contains("audio/mpeg") && sound.ends_with("sound"), "{sound}");
}

#[tokio::test]
async fn openai_takes_one_credential() {
    let sim = Sim::start().await.unwrap();
    for key in ["X-None: 1", "Authorization: Bearer bad", "Authorization: Bearer k\r\napi-key: k"] {
        let refused = json(&sim, "POST /v1/embeddings", key, "application/json", r#"{"model":"m"}"#).await;
        assert!(
            refused.starts_with("HTTP/1.1 401 ") && refused.contains("invalid_api_key"),
            "{key}: {refused}"
        );
    }
}

/// The whole answer, head and body, as text.
async fn json(sim: &Sim, line: &str, key: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\n{key}\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let (answer, read) = exchange(&sim.http1_url(), &request).await;
    assert!(read.is_ok(), "{line}");
    String::from_utf8_lossy(&answer).into_owned()
}
