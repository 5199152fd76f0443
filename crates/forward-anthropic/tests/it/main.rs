//! `HttpForwarder<Anthropic>` against a scripted provider, over real sockets.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use dialect::{Framing, Operation};
use forward::{Call, SpliceForm};
use forward_anthropic::Anthropic;
use forward_http::suite::{House, KEY, PRIVATE, call, naming, target, whole};
use http::{HeaderName, HeaderValue};
use provider_sim::{Body, Match, Script, Sim, recording};

const ODD: &str = "{\"max_tokens\" : 16, \"model\": \"endpoint\" , \"metadata\":{\"model\":\"endpoint\"}, \"n\":1.50e+07, \"n\":\"\u{2028}\" }\r\n";

async fn anthropic() -> (Sim, House<Anthropic>) {
    let sim = Sim::start().await.unwrap();
    let house =
        House::open(Anthropic, target("anthropic", "claude-sonnet-4-5", &[("api_base", &sim.http1_url())]));
    (sim, house)
}

fn with(mut call: Call, headers: &[(&'static str, &'static str)]) -> Call {
    for (name, value) in headers {
        call.head.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    call
}

#[tokio::test]
async fn a_call_arrives_with_the_targets_model_and_every_other_byte() {
    let (sim, house) = anthropic().await;
    let mut call = with(naming(Operation::Messages, "/messages", ODD, SpliceForm::Json), &PRIVATE);
    call = with(call, &[("anthropic-dangerous-direct-browser-access", "true"), ("anthropic-beta", "a")]);
    call = with(call, &[("anthropic-beta", "b,c"), ("anthropic-version", "2026-10-21")]);
    call.head.query = Some("beta=true".to_owned());
    let answer = house.ask(call).await.unwrap();
    assert_eq!(answer.headers["request-id"], "req_sim");
    assert_eq!(whole(answer.body).await, recording("anthropic/unary_parallel_tool_use.json").unwrap());

    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!(received.target, "/v1/messages?beta=true");
    assert_eq!(received.body, ODD.replacen("endpoint", "claude-sonnet-4-5", 1));
    assert_eq!(received.header("content-length"), Some(received.body.len().to_string().as_str()));
    assert_eq!(received.header("x-api-key"), Some(KEY), "one credential, ours");
    assert_eq!(received.header("anthropic-version"), Some("2026-10-21"), "as the client sent it");
    assert_eq!(received.header_values("anthropic-beta").collect::<Vec<_>>(), ["a", "b,c"]);
    for gone in
        ["authorization", "api-key", "x-goog-api-key", "origin", "anthropic-dangerous-direct-browser-access"]
    {
        assert_eq!(received.header_values(gone).count(), 0, "{gone}");
    }
    assert!(!received.headers.iter().any(|(_, value)| value.contains("client")), "{:?}", received.headers);
}

#[tokio::test]
async fn a_version_is_set_only_where_the_client_names_none() {
    let (sim, house) = anthropic().await;
    whole(house.ask(naming(Operation::Messages, "/messages", ODD, SpliceForm::Json)).await.unwrap().body)
        .await;
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!(received.header("anthropic-version"), Some("2023-06-01"));
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    let (sim, house) = anthropic().await;
    for recorded in ["stream_tool_use", "stream_redacted_thinking"] {
        sim.script_once(Match::any(), Script::recording(recorded));
        let body = "{\"model\":\"endpoint\",\"stream\":true}";
        let mut call = naming(Operation::Messages, "/messages", body, SpliceForm::Json);
        call.head.framing = Framing::Sse;
        let answer = house.ask(call).await.unwrap();
        assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(whole(answer.body).await, recording(recorded).unwrap());
    }
}

#[tokio::test]
async fn other_operations_arrive_where_they_belong() {
    let (sim, house) = anthropic().await;
    for (operation, method, path, expected) in [
        (Operation::MessagesCountTokens, "POST", "/messages/count_tokens", "/v1/messages/count_tokens"),
        (
            Operation::AnthropicResource,
            "GET",
            "/messages/batches/msgbatch_1",
            "/v1/messages/batches/msgbatch_1",
        ),
        (Operation::AnthropicResource, "DELETE", "/files/file_1", "/v1/files/file_1"),
        (Operation::Proxy, "POST", "/v1/complete", "/v1/complete"),
    ] {
        let mut call = call(operation, Some(path), "{\"model\":\"m\"}");
        call.head.method = method.parse().unwrap();
        whole(house.ask(call).await.unwrap().body).await;
        let received = sim.requests().pop().unwrap();
        assert_eq!((received.method.as_str(), received.target.as_str()), (method, expected));
    }
}

#[tokio::test]
async fn every_request_of_a_batch_takes_the_model() {
    let (sim, house) = anthropic().await;
    let body =
        r#"{"requests":[{"custom_id":"1","params":{"model":"endpoint"}},{"params":{"model":"endpoint"}}]}"#;
    let mut call = naming(Operation::MessagesBatches, "/messages/batches", body, SpliceForm::Json);
    let second = forward::Splice { at: body.rfind("endpoint").unwrap() as u64, ..call.head.splices[0] };
    call.head.splices.push(second);
    assert_eq!(house.ask(call).await.unwrap().status, 200);
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!(received.body, body.replace("endpoint", "claude-sonnet-4-5"));
}

#[tokio::test]
async fn every_refusal_is_the_providers_own() {
    let (sim, house) = anthropic().await;
    for status in [400, 401, 402, 403, 404, 409, 413, 429, 500, 504, 529] {
        let said = format!(
            "{{\"type\":\"error\",\"error\":{{\"type\":\"t\",\"message\":\"no {status}\"}}, \"x\": 1.0}}\n"
        );
        let script = Script { body: Body::Text(said.clone()), ..Script::status(status) };
        let script = script.header("Retry-After", "12").header("Anthropic-Ratelimit-Requests-Remaining", "0");
        sim.script_once(Match::any(), script.header("Anthropic-Organization-Id", "ours"));
        let answer =
            house.ask(naming(Operation::Messages, "/messages", ODD, SpliceForm::Json)).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(
            (&answer.headers["retry-after"], &answer.headers["request-id"]),
            (&HeaderValue::from_static("12"), &HeaderValue::from_static("req_sim"))
        );
        assert_eq!(answer.headers["anthropic-ratelimit-requests-remaining"], "0");
        assert!(!answer.headers.contains_key("anthropic-organization-id"));
        assert_eq!(whole(answer.body).await, said);
    }
}
