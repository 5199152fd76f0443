//! `HttpForwarder<OpenAi>` and `HttpForwarder<Azure>` against a scripted provider, over real sockets.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use dialect::{Framing, Operation};
use forward::{Call, SpliceForm};
use forward_http::suite::{House, KEY, PRIVATE, call, naming, target, whole};
use forward_openai::{Azure, OpenAi};
use http::{HeaderName, HeaderValue};
use provider_sim::{Body, Match, Received, Script, Sim, recording};

const MODEL: &str = "gpt-4o-\"mini\"";
const CHAT: &str = "{ \"b\": 1.50e+07, \"model\" :\"endpoint\",\r\n\"messages\":[ ], \"model2\":\"endpoint\", \"a\":9007199254740993, \"u\":\"\u{2028}\\u0041\" }\n";
const FORM: &str = "multipart/form-data; boundary=xYzZY";

async fn openai() -> (Sim, House<OpenAi>) {
    let sim = Sim::start().await.unwrap();
    let base = format!("{}/v1", sim.http1_url());
    let house = House::open(OpenAi, target("openai", MODEL, &[("api_base", &base)]));
    (sim, house)
}

fn with(mut call: Call, headers: &[(&'static str, &'static str)]) -> Call {
    for (name, value) in headers {
        call.head.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    call
}

/// No value of [`PRIVATE`], and one credential.
fn assert_one_credential(received: &Received, name: &str, value: &str) {
    assert_eq!(received.header(name), Some(value));
    let credentials = ["authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"];
    let count = credentials.iter().flat_map(|name| received.header_values(name)).count();
    assert_eq!(count, 1, "{:?}", received.headers);
    assert!(!received.headers.iter().any(|(_, value)| value.contains("client")), "{:?}", received.headers);
}

#[tokio::test]
async fn a_call_arrives_with_the_targets_model_and_every_other_byte() {
    let (sim, house) = openai().await;
    let call =
        with(naming(Operation::ChatCompletions, "/chat/completions", CHAT, SpliceForm::Json), &PRIVATE);
    let answer = house.ask(call).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["x-request-id"]),
        (200, &HeaderValue::from_static("req_sim"))
    );
    assert_eq!(whole(answer.body).await, recording("openai/unary_tool_call.json").unwrap());
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(received.body, CHAT.replacen("\"endpoint\"", "\"gpt-4o-\\\"mini\\\"\"", 1));
    assert_eq!(received.header("content-length"), Some(received.body.len().to_string().as_str()));
    assert_one_credential(&received, "authorization", &format!("Bearer {KEY}"));
}

#[tokio::test]
async fn streams_pass_byte_for_byte() {
    let (sim, house) = openai().await;
    let body = "{\"model\":\"endpoint\",\"stream\":true}";
    for (operation, path, recorded) in [
        (Operation::ChatCompletions, "/chat/completions", "stream_text_gpt-4o-mini"),
        (Operation::Responses, "/responses", "responses_stream"),
    ] {
        let mut call =
            with(naming(operation, path, body, SpliceForm::Json), &[("accept-encoding", "gzip, br")]);
        call.head.framing = Framing::Sse;
        let answer = house.ask(call).await.unwrap();
        assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(whole(answer.body).await, recording(recorded).unwrap());
        let received = sim.requests().pop().unwrap();
        assert_eq!(received.header("accept-encoding"), Some("identity"), "frames are read on the side");
    }
}

#[tokio::test]
async fn a_form_keeps_its_boundary_and_its_parts() {
    let (sim, house) = openai().await;
    let form = "--xYzZY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n\u{0}binary\r\n\
        --xYzZY\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nendpoint\r\n--xYzZY--\r\n";
    let call = naming(Operation::AudioTranscriptions, "/audio/transcriptions", form, SpliceForm::Text);
    let answer = house.ask(with(call, &[("content-type", FORM)])).await.unwrap();
    assert_eq!(answer.status, 200);
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!(received.header("content-type"), Some(FORM));
    assert_eq!(received.body, form.replacen("endpoint", MODEL, 1));
}

#[tokio::test]
async fn other_operations_arrive_where_they_belong() {
    let (sim, house) = openai().await;
    for (operation, method, path, query, expected) in [
        (Operation::Embeddings, "POST", "/embeddings", None, "/v1/embeddings"),
        (Operation::AudioSpeech, "POST", "/audio/speech", None, "/v1/audio/speech"),
        (
            Operation::OpenAiResource,
            "GET",
            "/responses/resp_1",
            Some("stream=true"),
            "/v1/responses/resp_1?stream=true",
        ),
        (Operation::OpenAiResource, "DELETE", "/files/file-1", None, "/v1/files/file-1"),
        (Operation::Proxy, "PATCH", "/v2/x", Some("a=%zz"), "/v2/x?a=%zz"),
    ] {
        let mut call = call(operation, Some(path), "{\"model\":\"m\"}");
        call.head.method = method.parse().unwrap();
        call.head.query = query.map(str::to_owned);
        whole(house.ask(call).await.unwrap().body).await;
        let received = sim.requests().pop().unwrap();
        assert_eq!((received.method.as_str(), received.target.as_str()), (method, expected));
    }
}

#[tokio::test]
async fn every_refusal_is_the_providers_own() {
    let (sim, house) = openai().await;
    for status in [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503] {
        let said = format!("{{\"error\": {{\"message\": \"no {status}\", \"unknown\": 1.0e0}}}}\r\n");
        let script = Script { body: Body::Text(said.clone()), ..Script::status(status) };
        let script = script.header("Retry-After-Ms", "1700").header("x-should-retry", "false");
        sim.script_once(Match::any(), script.header("OpenAI-Organization", "ours"));
        let call = naming(Operation::ChatCompletions, "/chat/completions", CHAT, SpliceForm::Json);
        let answer = house.ask(call).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["retry-after-ms"], "1700");
        assert_eq!(answer.headers["x-should-retry"], "false");
        assert!(!answer.headers.contains_key("openai-organization"));
        assert_eq!(whole(answer.body).await, said);
    }
}

#[tokio::test]
async fn azure_has_another_path_and_another_header() {
    let sim = Sim::start().await.unwrap();
    let settings = [("api_base", sim.http1_url()), ("api_version", "2024-10-21".to_owned())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let house = House::open(Azure::OPEN_AI, target("azure", "my-gpt", &settings));
    let call =
        with(naming(Operation::ChatCompletions, "/chat/completions", CHAT, SpliceForm::Json), &PRIVATE);
    let answer = house.ask(call).await.unwrap();
    assert_eq!(answer.status, 200);
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!(received.target, "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21");
    assert_eq!(received.body, CHAT.replacen("endpoint", "my-gpt", 1));
    assert_one_credential(&received, "api-key", KEY);
}

#[tokio::test]
async fn without_an_address_nothing_goes_out() {
    let house = House::open(Azure::AI, target("azure_ai", "my-gpt", &[]));
    let call = naming(Operation::ChatCompletions, "/chat/completions", CHAT, SpliceForm::Json);
    let refusal = house.ask(call).await.unwrap_err().to_string();
    assert!(refusal.contains("lacks `api_base`"), "{refusal}");
}
