//! The main path: what arrives at the forwarder and what comes back.

use std::time::Duration;

use bytes::Bytes;
use dialect::{Framing, Operation, Version};
use edge::Config;

use crate::{
    client::{ARRAY, Client, SSE, UNARY, get, post},
    rig::{End, Reply, Rig, mapping},
};

#[tokio::test]
async fn a_unary_call_arrives_and_its_answer_comes_back() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(UNARY, "x-goog-api-client: a/1\r\nX-Server-Timeout: 7\r\n", b"{ }")).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, r#"{"ok":true}"#));
    assert_eq!(reply.field("content-length"), Some("11"));
    assert_eq!(reply.field("keyward-target"), Some(mapping(1).as_str()));
    assert_eq!(reply.field("keyward-attempt"), Some("1"));
    assert!(reply.field("keyward-error-source").is_none());
    let seen = &rig.seen()[0];
    assert_eq!(seen.head.request_id.as_str(), reply.field("keyward-request-id").unwrap());
    assert_eq!(seen.head.endpoint.as_str(), "chat");
    assert_eq!((seen.head.revision, seen.head.attempt), (7, 1));
    assert_eq!(seen.head.operation, Operation::GenerateContent);
    assert_eq!((seen.head.version, seen.head.framing), (Version::V1Beta, Framing::Unary));
    assert_eq!(seen.head.headers["x-goog-api-client"], "a/1");
    assert!(!seen.head.headers.contains_key("host"));
    assert_eq!(seen.head.content_length, Some(3));
    assert_eq!(seen.head.limits.total, Some(Duration::from_secs(7)));
    assert_eq!(seen.body.as_deref(), Ok(b"{ }".as_slice()));
}

#[tokio::test]
async fn a_providers_refusal_passes_untouched_and_is_marked() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    for path in [UNARY, SSE, ARRAY] {
        rig.replies(Reply::json(429, r#"{"error":{"code":429}}"#));
        let reply = client.ask(&post(path, "", b"{}")).await;
        assert_eq!((reply.status, reply.text().as_str()), (429, r#"{"error":{"code":429}}"#));
        assert!(reply.complete, "a refusal is whole, whatever was asked");
        assert_eq!(reply.field("keyward-error-source"), Some("provider"));
    }
}

#[tokio::test]
async fn alt_decides_the_framing_and_the_query_goes_on_byte_for_byte() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let stream = Bytes::from_static(b"data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n");
    rig.replies(Reply::frames("text/event-stream", [stream], End::Clean));
    for (query, forwarded, framing) in [
        ("?alt=sse", Some("alt=sse"), Framing::Sse),
        ("?%24alt=s%73e&key=canary&x=%7e+1&x=2&a", Some("%24alt=s%73e&x=%7e+1&x=2&a"), Framing::Sse),
        ("", None, Framing::JsonArray),
        ("?alt=json&key=canary", Some("alt=json"), Framing::JsonArray),
        ("?key=canary", None, Framing::JsonArray),
    ] {
        if framing == Framing::JsonArray {
            let array = Bytes::from_static(b"[{\"candidates\":[{\"finishReason\":\"STOP\"}]}]");
            rig.replies(Reply::frames("application/json", [array], End::Clean));
        }
        let reply = client.ask(&post(&format!("{ARRAY}{query}"), "", b"{}")).await;
        assert_eq!((reply.status, reply.complete), (200, true), "{query}");
        let seen = rig.seen().pop().unwrap();
        assert_eq!((seen.head.query.as_deref(), seen.head.framing), (forwarded, framing), "{query}");
    }
    let reply = client.ask(&post(&format!("{ARRAY}?alt=sse&alt=json"), "", b"{}")).await;
    assert!(reply.gemini_refusal(400).contains("`alt`"));
}

#[tokio::test]
async fn no_credential_crosses_the_seam() {
    let rig = Rig::new().await;
    let fields = "authorization: Bearer canary\r\nx-goog-api-key: canary\r\nx-api-key: canary\r\napi-key: canary\r\n\
                  cookie: a=canary\r\nproxy-authorization: Basic canary\r\nx-kept: yes\r\n";
    let path = format!("{UNARY}?key=canary&%6bey=canary&access_token=canary&$oauth_token=canary");
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&post(&path, fields, b"{}")).await.status, 200);
    let head = rig.seen().pop().unwrap().head;
    assert!(!format!("{head:?}").contains("canary"), "{head:?}");
    assert_eq!(head.headers["x-kept"], "yes");
}

#[tokio::test]
async fn refusals_are_in_the_dialect_and_framed_as_asked() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let missing = |path: &str| path.replace("chat", "missing");
    let said = client.ask(&post(&missing(UNARY), "", b"{}")).await.gemini_refusal(404);
    assert_eq!(said, "there is no endpoint `missing`");
    let reply = client.ask(&post(&missing(ARRAY), "", b"{}")).await;
    reply.gemini_refusal(404);
    assert!(reply.text().starts_with("[{\"error\":{\"code\":404,"), "{}", reply.text());
    let reply = client.ask(&post(&missing(SSE), "", b"{}")).await;
    reply.gemini_refusal(404);
    assert!(reply.text().starts_with("{\"error\":{\"code\":404,"), "{}", reply.text());
    let missing = br#"{"model":"missing"}"#;
    let reply = client.ask(&post("/gateway/anthropic/v1/messages", "", missing)).await;
    assert_eq!((reply.status, &reply.json()["type"]), (404, &"error".into()));
    assert_eq!(reply.field("request-id"), reply.field("keyward-request-id"));
    let reply = client.ask(&post("/gateway/openai/v1/chat/completions", "", missing)).await;
    assert_eq!((reply.status, reply.json()["error"]["code"].is_string()), (404, true));
    assert_eq!(reply.field("x-request-id"), reply.field("keyward-request-id"));
    let said = client.ask(&post(&UNARY.replace("chat", "claude"), "", b"{}")).await.gemini_refusal(400);
    assert!(said.contains("`anthropic`") && said.contains("`gemini`"), "{said}");
    client.ask(&post("/nowhere", "", b"{}")).await.management_refusal(404);
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn endpoints_are_listed_as_models() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    for prefix in ["/gateway/gemini/v1", "/gateway/gemini/v1beta", "/gateway/gemini"] {
        let list = client.ask(&get(&format!("{prefix}/models?key=x"))).await.json();
        let names: Vec<_> =
            list["models"].as_array().unwrap().iter().map(|model| model["name"].clone()).collect();
        assert_eq!(
            names,
            ["models/backed", "models/chat", "models/split"],
            "those that a Gemini call can use"
        );
    }
    let page = client.ask(&get("/gateway/gemini/v1beta/models?pageSize=1")).await.json();
    assert_eq!(page["models"][0]["name"], "models/backed");
    let next = page["nextPageToken"].as_str().unwrap();
    let page =
        client.ask(&get(&format!("/gateway/gemini/v1beta/models?pageSize=1&pageToken={next}"))).await.json();
    assert_eq!(page["models"][0]["name"], "models/chat");
    let one = client.ask(&get("/gateway/gemini/v1beta/models/chat")).await.json();
    assert_eq!(one["name"], "models/chat");
    client.ask(&get("/gateway/gemini/v1beta/models/claude")).await.gemini_refusal(404);
    let reply = client.ask(&post("/gateway/gemini/v1beta/models", "", b"{}")).await;
    reply.gemini_refusal(405);
    assert_eq!(reply.field("allow"), Some("GET, HEAD"));
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn what_a_call_leaves_in_metrics() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let answer = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":2}}"#;
    rig.replies(Reply::json(200, answer));
    client.ask(&post(UNARY, "", b"{}")).await;
    rig.replies(Reply::json(503, "{}"));
    client.ask(&post(UNARY, "", b"{}")).await;
    client.ask(&post(&UNARY.replace("chat", "missing"), "", b"{}")).await;
    let labels = r#"endpoint="chat",gen_ai_provider_name="gemini",gen_ai_request_model="model-1",gen_ai_operation_name="generate_content""#;
    for (line, value) in [
        (format!("keyward_calls_total{{{labels},outcome=\"complete\"}}"), "1"),
        (format!("keyward_calls_total{{{labels},outcome=\"refused\"}}"), "1"),
        (format!("keyward_tokens_total{{{labels},kind=\"input\"}}"), "7"),
        (format!("keyward_tokens_total{{{labels},kind=\"output\"}}"), "3"),
        (format!("keyward_tokens_total{{{labels},kind=\"thoughts\"}}"), "2"),
        (format!("gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type=\"input\"}}"), "7"),
        (r#"keyward_refusals_total{reason="endpoint",face="gemini"}"#.to_owned(), "1"),
        ("keyward_calls_in_flight".to_owned(), "0"),
        ("keyward_open_streams".to_owned(), "0"),
        ("keyward_overhead_seconds_count".to_owned(), "2"),
    ] {
        assert_eq!(rig.metric(&line).parse::<f64>().unwrap().to_string(), value, "{line}");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_it_is_read_and_as_it_comes() {
    let mut config = Config::default();
    config.requests.gemini_body_max = 1000;
    let rig = Rig::with(config).await;
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&post(UNARY, "", &[b' '; 1000])).await.status, 200);
    let seen = rig.seen().len();
    client.ask(&post(UNARY, "", &[b' '; 1001])).await.gemini_refusal(413);
    assert_eq!(rig.seen().len(), seen, "nothing was forwarded");
}
