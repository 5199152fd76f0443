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
