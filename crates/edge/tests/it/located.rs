//! Which endpoint a call names, by path, prefix, header or body, and where its body takes the target's model.

use dialect::{Framing, Operation};
use edge::Config;
use forward::{Splice, SpliceForm};
use http::Method;

use crate::{
    client::{Client, Reply as Got, get, post},
    rig::{Reply, Rig, Seen, mapping},
};

const CHAT: &str = "/gateway/openai/v1/chat/completions";

async fn asked(request: &[u8]) -> (Got, Vec<Seen>) {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(request).await;
    (reply, rig.seen())
}

/// What the forwarder saw of a call that must arrive once.
async fn seen(path: &str, fields: &str, body: &[u8]) -> Seen {
    let (reply, mut seen) = asked(&post(path, fields, body)).await;
    assert_eq!((reply.status, seen.len()), (200, 1), "{path}: {}", reply.text());
    let seen = seen.remove(0);
    assert_eq!(seen.body.as_deref(), Ok(body), "the forwarder splices, not the edge");
    assert_eq!(seen.head.content_length, Some(body.len() as u64));
    assert!(!seen.head.headers.contains_key("keyward-endpoint"));
    seen
}

/// The body as a provider gets it for the model `M`.
fn spliced(seen: &Seen) -> String {
    let body = seen.body.clone().unwrap();
    let (mut out, mut from) = (Vec::new(), 0);
    for Splice { at, length, form } in &seen.head.splices {
        let at = usize::try_from(*at).unwrap();
        out.extend_from_slice(&body[from..at]);
        out.extend_from_slice(match form {
            SpliceForm::Json | SpliceForm::Text => b"M".as_slice(),
            SpliceForm::Member { last: false } => b"\"model\":\"M\",",
            SpliceForm::Member { last: true } => b"\"model\":\"M\"",
        });
        from = at + usize::try_from(*length).unwrap();
    }
    out.extend_from_slice(&body[from..]);
    String::from_utf8(out).unwrap()
}

fn refusal(reply: &Got, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.field("keyward-error-source"), Some("gateway"));
    reply.json()["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_model_is_spliced_wherever_a_body_names_it() {
    let gemini = |method: &str| format!("/gateway/gemini/v1/models/chat:{method}");
    for (path, body, expected) in [
        (
            CHAT.to_owned(),
            r#"{"x":{"model":"gpt"}, "model" : "g\u0070t" }"#,
            r#"{"x":{"model":"gpt"}, "model" : "M" }"#,
        ),
        ("/gateway/anthropic/v1/messages".to_owned(), r#"{"model":"claude"}"#, r#"{"model":"M"}"#),
        (
            "/gateway/anthropic/v1/messages/batches".to_owned(),
            r#"{"requests":[{"params":{"model":"claude"}},{"params":{"x":1,"model":"claude"}}]}"#,
            r#"{"requests":[{"params":{"model":"M"}},{"params":{"x":1,"model":"M"}}]}"#,
        ),
        (
            gemini("batchEmbedContents"),
            r#"{"requests":[{"model":"models/chat"},{"model":"chat"},{"model":"models/other"}]}"#,
            r#"{"requests":[{"model":"models/M"},{"model":"M"},{"model":"models/other"}]}"#,
        ),
        (
            gemini("countTokens"),
            r#"{"generateContentRequest":{"model":"models\/chat","contents":[{"model":"chat"}]}}"#,
            r#"{"generateContentRequest":{"model":"models\/M","contents":[{"model":"chat"}]}}"#,
        ),
        (gemini("embedContent"), r#"{"content":{}}"#, r#"{"content":{}}"#),
        (
            gemini("batchGenerateContent"),
            r#"{"batch":{"input_config":{"requests":{"requests":[{"request":{"model":"models/chat"}}]}}}}"#,
            r#"{"batch":{"input_config":{"requests":{"requests":[{"request":{"model":"models/M"}}]}}}}"#,
        ),
        (
            "/gateway/gemini/v1beta/cachedContents".to_owned(),
            r#"{"model":"models/chat"}"#,
            r#"{"model":"models/M"}"#,
        ),
        ("/gateway/gemini/v1beta/interactions".to_owned(), r#"{"model":"chat"}"#, r#"{"model":"M"}"#),
    ] {
        let seen = seen(&path, "", body.as_bytes()).await;
        assert_eq!(spliced(&seen), expected, "{path}");
    }
}

#[tokio::test]
async fn generated_content_is_never_looked_into() {
    let seen =
        seen("/gateway/gemini/v1/models/chat:generateContent", "", br#"{"model":"models/chat"}"#).await;
    assert!(seen.head.splices.is_empty());
}

#[tokio::test]
async fn a_prefix_wins_over_a_header_and_a_header_over_the_body() {
    let told = |seen: &Seen| (seen.head.endpoint.to_string(), spliced(seen));
    let claude = "keyward-endpoint: claude\r\n";
    let seen_ = seen("/gateway/gpt/openai/v1/embeddings", claude, br#"{"model":"x","input":""}"#).await;
    assert_eq!(told(&seen_), ("gpt".into(), r#"{"model":"M","input":""}"#.into()));
    let seen_ = seen("/gateway/anthropic/v1/messages", claude, br#"{"model":"gpt"}"#).await;
    assert_eq!(told(&seen_), ("claude".into(), r#"{"model":"M"}"#.into()));
    let seen_ = seen("/gateway/anthropic/v1/messages", claude, br#" { "max_tokens":1}"#).await;
    assert_eq!(told(&seen_), ("claude".into(), r#" {"model":"M", "max_tokens":1}"#.into()));
    let seen_ = seen("/gateway/gpt/openai/v1/moderations", "", b"{}").await;
    assert_eq!(told(&seen_), ("gpt".into(), r#"{"model":"M"}"#.into()));
    let seen_ = seen(
        "/gateway/chat/gemini/v1/models/other:countTokens",
        "",
        br#"{"generateContentRequest":{"model":"models/x"}}"#,
    )
    .await;
    assert_eq!(told(&seen_), ("chat".into(), r#"{"generateContentRequest":{"model":"models/M"}}"#.into()));
    assert_eq!(seen_.head.path, None);
}

#[tokio::test]
async fn forms_name_their_model_too() {
    let body = "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\0\r\n--X\r\n\
                --XX\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\ngpt\r\n\
                --XX\r\ncontent-disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--XX--\r\n";
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let head = format!(
        "POST /gateway/openai/v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\n\
         content-type: multipart/form-data; boundary=XX\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(client.ask(head.as_bytes()).await.status, 200);
    let seen = rig.seen().remove(0);
    assert_eq!(seen.head.framing, Framing::Sse);
    assert_eq!(spliced(&seen), body.replace("gpt", "M"));
}

#[tokio::test]
async fn resources_go_to_whom_the_prefix_or_the_header_names_untouched() {
    for (path, fields, goes_on) in [
        ("/gateway/openai/v1/files", "keyward-endpoint: gpt\r\n", "/files"),
        ("/gateway/gpt/openai/v1/batches/b%20c/cancel", "", "/batches/b%20c/cancel"),
        ("/gateway/claude/anthropic/v1/files", "", "/files"),
        ("/gateway/chat/gemini/v1beta/models/m/operations/o", "", "/models/m/operations/o"),
        ("/gateway/proxy/chat/v1beta/models/m:generateContent", "", "/v1beta/models/m:generateContent"),
    ] {
        let seen = seen(path, fields, br#"{"model":"gpt"}"#).await;
        assert_eq!(seen.head.path.as_deref(), Some(goes_on));
        assert_eq!((seen.head.splices.len(), seen.head.framing), (0, Framing::Open));
    }
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let request = format!(
            "{method} /gateway/proxy/gpt/a/b?x=%20&key=canary&y HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n"
        );
        assert_eq!(client.ask(request.as_bytes()).await.status, 200, "{method}");
        let head = rig.seen().pop().unwrap().head;
        assert_eq!(head.method, Method::from_bytes(method.as_bytes()).unwrap());
        assert_eq!((head.operation, head.query.as_deref()), (Operation::Proxy, Some("x=%20&y")));
    }
}

#[tokio::test]
async fn a_call_that_names_nobody_is_told_the_ways() {
    for (request, ways) in [
        (post(CHAT, "", b"{}"), ["`model`", "`keyward-endpoint`", "/gateway/{endpoint}/openai/"].as_slice()),
        (post(CHAT, "", br#"{"model":""}"#), &["`model`"]),
        (get("/gateway/openai/v1/files"), &["`keyward-endpoint`", "/gateway/{endpoint}/openai/"]),
        (get("/gateway/anthropic/v1/files"), &["`keyward-endpoint`", "/gateway/{endpoint}/anthropic/"]),
        (get("/gateway/gemini/v1beta/files"), &["`keyward-endpoint`", "/gateway/{endpoint}/gemini/"]),
    ] {
        let (reply, seen) = asked(&request).await;
        let said = refusal(&reply, 400);
        assert!(ways.iter().all(|way| said.contains(way)), "{said}");
        assert!(seen.is_empty());
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_one_way_only_are_refused() {
    for (path, body, status) in [
        (CHAT, r#"{"model":"gpt","model":"claude"}"#, 400),
        (CHAT, r#"{"model":"gpt""#, 400),
        (CHAT, "[]", 400),
        (CHAT, r#"{"model":7}"#, 400),
        (CHAT, r#"{"model":"gpt","stream":"yes"}"#, 400),
        (CHAT, r#"{"model":"missing"}"#, 404),
        (CHAT, r#"{"model":"a b"}"#, 404),
        (
            "/gateway/anthropic/v1/messages/batches",
            r#"{"requests":[{"params":{"model":"claude"}},{"params":{"model":"gpt"}}]}"#,
            400,
        ),
    ] {
        let (reply, seen) = asked(&post(path, "", body.as_bytes())).await;
        let said = refusal(&reply, status);
        assert!(seen.is_empty() && !said.contains("a b"), "{said}");
    }
    let twice = "keyward-endpoint: gpt\r\nkeyward-endpoint: claude\r\n";
    refusal(&asked(&post(CHAT, twice, b"{}")).await.0, 400);
}

#[tokio::test]
async fn unified_routes() {
    let chat = seen("/gateway/mlflow/v1/chat/completions", "", br#"{"model":"gpt","stream":true}"#).await;
    assert_eq!((chat.head.operation, chat.head.framing), (Operation::ChatCompletions, Framing::Sse));
    let chat = seen("/gateway/gpt/mlflow/invocations", "", br#"{"messages":[]}"#).await;
    assert_eq!(
        (chat.head.operation, chat.head.path.as_deref()),
        (Operation::ChatCompletions, Some("/chat/completions"))
    );
    assert_eq!(
        (spliced(&chat).as_str(), chat.head.framing),
        (r#"{"model":"M","messages":[]}"#, Framing::Unary)
    );
    let embeddings = seen("/gateway/gpt/mlflow/invocations", "", br#"{"input":"a"}"#).await;
    assert_eq!(
        (embeddings.head.operation, embeddings.head.path.as_deref()),
        (Operation::Embeddings, Some("/embeddings"))
    );
    for body in [r#"{"model":"gpt","messages":[]}"#, r#"{"prompt":""}"#] {
        refusal(&asked(&post("/gateway/gpt/mlflow/invocations", "", body.as_bytes())).await.0, 400);
    }
    for (path, body) in [
        ("/gateway/mlflow/v1/chat/completions", r#"{"model":"claude"}"#),
        ("/gateway/chat/mlflow/invocations", r#"{"messages":[]}"#),
    ] {
        let said = refusal(&asked(&post(path, "", body.as_bytes())).await.0, 501);
        assert!(said.contains("not translated"), "{said}");
    }
}

#[tokio::test]
async fn a_provider_that_does_not_speak_the_dialect_is_named_with_the_ways_that_work() {
    for (path, body, named) in [
        (CHAT, r#"{"model":"claude"}"#, ["`claude`", "`anthropic`", "`openai`", "/gateway/anthropic/"]),
        (
            "/gateway/anthropic/v1/messages",
            r#"{"model":"chat"}"#,
            ["`chat`", "`gemini`", "`anthropic`", "/gateway/gemini/"],
        ),
        (
            "/gateway/gemini/v1/models/gpt:generateContent",
            "{}",
            ["`gpt`", "`openai`", "`gemini`", "/gateway/openai/"],
        ),
    ] {
        let (reply, seen) = asked(&post(path, "", body.as_bytes())).await;
        let said = refusal(&reply, 400);
        assert!(named.iter().all(|name| said.contains(name)) && seen.is_empty(), "{said}");
    }
}

#[tokio::test]
async fn endpoints_are_shown_as_every_dialects_models() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let list = client.ask(&get("/gateway/openai/v1/models")).await.json();
    assert_eq!((list["object"].as_str(), list["data"][0]["id"].as_str()), (Some("list"), Some("gpt")));
    let list = client.ask(&get("/gateway/anthropic/v1/models?limit=5")).await.json();
    assert_eq!((list["data"][0]["id"].as_str(), list["has_more"].as_bool()), (Some("claude"), Some(false)));
    assert_eq!((list["first_id"].as_str(), list["last_id"].as_str()), (Some("claude"), Some("claude")));
    let list = client.ask(&get("/gateway/mlflow/v1/models")).await.json();
    assert_eq!(list["data"][0]["owned_by"], "mlflow");
    let one = client.ask(&get("/gateway/openai/v1/models/gpt")).await.json();
    assert_eq!(one["object"], "model");
    let one = client.ask(&get("/gateway/anthropic/v1/models/claude")).await.json();
    assert_eq!(
        (one["type"].as_str(), one["created_at"].as_str()),
        (Some("model"), Some("1970-01-01T00:00:00Z"))
    );
    for other in ["/gateway/openai/v1/models/claude", "/gateway/anthropic/v1/models/gpt"] {
        refusal(&client.ask(&get(other)).await, 404);
    }
}

#[tokio::test]
async fn every_target_gets_the_body_as_it_came_and_its_own_model() {
    let rig = Rig::new().await;
    rig.plays(|head| if head.attempt == 1 { Reply::json(503, "{}") } else { Reply::json(200, "{}") });
    let mut client = Client::connect(rig.address).await;
    let body = br#"{"model":"gpt","n":1}"#;
    let reply = client.ask(&post(CHAT, "", body)).await;
    assert_eq!((reply.status, reply.field("keyward-attempt")), (200, Some("2")));
    let seen = rig.seen();
    assert_eq!((&seen[0].head.mapping, &seen[1].head.mapping), (&mapping(7), &mapping(8)));
    assert_eq!(seen[0].head.splices, seen[1].head.splices);
    assert!(seen.iter().all(|seen| seen.body.as_deref() == Ok(body)));
}

#[tokio::test]
async fn bodies_have_their_limits_and_one_budget() {
    let mut config = Config::default();
    config.requests.openai_body_max = 300_000;
    config.requests.body_memory_max = Some(128 << 10);
    let rig = Rig::with(config).await;
    let mut client = Client::connect(rig.address).await;
    let body = |padding: usize| format!("{{\"model\":\"gpt\",\"x\":\"{}\"}}", "x".repeat(padding));
    assert_eq!(client.ask(&post(CHAT, "", body(100_000).as_bytes())).await.status, 200);
    let reply = client.ask(&post(CHAT, "", body(200_000).as_bytes())).await;
    assert!(refusal(&reply, 503).contains("memory"));
    let mut client = Client::connect(rig.address).await;
    refusal(&client.ask(&post(CHAT, "", body(300_000).as_bytes())).await, 413);
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&post(CHAT, "", body(100_000).as_bytes())).await.status, 200, "it was given back");
    let file = "x".repeat(400_000);
    let reply = client.ask(&post("/gateway/gpt/openai/v1/files", "", file.as_bytes())).await;
    assert_eq!(reply.status, 200, "a file passes as it comes");
}
