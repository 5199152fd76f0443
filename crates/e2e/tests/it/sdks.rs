//! The SDKs of OpenAI and Anthropic: what they see through Keyward is what they see at the provider, its errors are their own
//! typed exceptions, and what breaks is raised.

use e2e::{House, Plan, Sdk, Shape, others};
use provider_sim::{Cut, Received, Script};
use serde_json::{Value, json};

use crate::in_both_shapes;

in_both_shapes!(
    every_kind_of_call_is_what_it_is_there,
    every_status_is_the_exception_of_its_sdk,
    a_broken_stream_is_raised,
    what_keyward_refuses_is_an_exception_too,
    a_spare_answers_for_one_that_is_down,
);

const OPENAI_KEY: &str = "sk-keyward-e2e-openai-0123456789abcdef";
const ANTHROPIC_KEY: &str = "sk-ant-keyward-e2e-0123456789abcdef";
/// Each endpoint, and the model behind it.
const GPT: (&str, &str) = ("gpt", "gpt-4o-mini");
const CLAUDE: (&str, &str) = ("claude", "claude-sonnet-4-5");

/// Kinds of calls that reach the provider, and where they go.
const KINDS: [(&str, &str); 14] = [
    ("openai.chat", "openai"),
    ("openai.chat_stream", "openai"),
    ("openai.responses", "openai"),
    ("openai.responses_stream", "openai"),
    ("openai.embeddings", "openai"),
    ("openai.completions", "openai"),
    ("openai.completions_stream", "openai"),
    ("openai.transcription", "openai"),
    ("anthropic.messages", "anthropic"),
    ("anthropic.messages_stream", "anthropic"),
    ("anthropic.count_tokens", "anthropic"),
    ("openai.chat", "mlflow"),
    ("openai.chat_stream", "mlflow"),
    ("openai.embeddings", "mlflow"),
];

/// A house with an endpoint at each provider, and one of two models, `spared`.
async fn furnished(shape: Shape) -> Option<House> {
    let plan = Plan::new(shape).forwarders(&["openai", "anthropic"]);
    let house = plan.start().await.unwrap()?;
    let (admin, base) = (house.admin().unwrap(), house.api_base());
    let secret = admin.secret_for("openai", "openai", OPENAI_KEY, &format!("{base}/v1")).await.unwrap();
    let first = admin.model_for("openai", "first", &secret, GPT.1).await.unwrap();
    let second = admin.model_for("openai", "second", &secret, "gpt-4.1").await.unwrap();
    admin.endpoint(GPT.0, &first).await.unwrap();
    admin.endpoint_with_spares("spared", &first, &[&second]).await.unwrap();
    let secret = admin.secret_for("anthropic", "anthropic", ANTHROPIC_KEY, &base).await.unwrap();
    let model = admin.model_for("anthropic", "claude", &secret, CLAUDE.1).await.unwrap();
    admin.endpoint(CLAUDE.0, &model).await.unwrap();
    Some(house)
}

fn sdks(shape: Shape) -> &'static [Sdk] {
    if shape == Shape::Serve { &[Sdk::Python, Sdk::JavaScript] } else { &[Sdk::Python] }
}

/// The endpoint of a kind of call, and the model behind it.
fn named(kind: &str) -> (&'static str, &'static str) {
    if kind.starts_with("openai") { GPT } else { CLAUDE }
}

fn case(kind: &str) -> Value {
    json!({ "kind": kind, "model": named(kind).0 })
}

async fn through(house: &House, sdk: Sdk, scripts: &[Script], cases: &[Value]) -> Option<Vec<Value>> {
    let url = format!("{}/gateway", house.url);
    let urls = json!({
        "openai": format!("{url}/openai/v1"), "anthropic": format!("{url}/anthropic"),
        "mlflow": format!("{url}/mlflow/v1"),
    });
    house.play(scripts);
    others(sdk, house.folder(), &urls, cases).await.unwrap()
}

/// The same at the provider itself, with the model's own name.
async fn direct(house: &House, sdk: Sdk, scripts: &[Script], cases: &[Value]) -> Option<Vec<Value>> {
    let url = house.sim.http1_url();
    let urls = json!({ "openai": format!("{url}/v1"), "anthropic": url, "mlflow": format!("{url}/v1") });
    let mut cases = cases.to_vec();
    for case in &mut cases {
        case["model"] = named(case["kind"].as_str().unwrap()).1.into();
    }
    house.play(scripts);
    others(sdk, house.folder(), &urls, &cases).await.unwrap()
}

async fn every_kind_of_call_is_what_it_is_there(shape: Shape) {
    let Some(house) = furnished(shape).await else { return };
    let cases: Vec<Value> = KINDS
        .iter()
        .map(|(kind, at)| json!({ "kind": kind, "model": named(kind).0, "at": at }))
        .chain([case("openai.models"), case("anthropic.models")])
        .collect();
    let (reaching, listing) = cases.split_at(KINDS.len());
    for sdk in sdks(shape) {
        let scripts = KINDS.map(|(kind, _)| script(kind));
        let Some(there) = direct(&house, *sdk, &scripts, reaching).await else { continue };
        let asked = house.sim.requests();
        let Some(here) = through(&house, *sdk, &scripts, reaching).await else { continue };
        let sent = house.sim.requests();
        for ((case, there), here) in reaching.iter().zip(&there).zip(&here) {
            assert_eq!(here, there, "{sdk:?} {case}");
            well(case["kind"].as_str().unwrap(), here);
        }
        assert_eq!((asked.len(), sent.len()), (KINDS.len(), KINDS.len()));
        for (there, here) in asked.iter().zip(&sent) {
            same_request(there, here);
        }
        // The endpoints, in the shape of each dialect; the provider is not asked.
        let lists = through(&house, *sdk, &[], listing).await.unwrap();
        for (list, name) in lists.iter().zip([GPT.0, CLAUDE.0]) {
            assert_eq!(list["models"], json!(listed(name)), "{sdk:?} {list}");
            assert_eq!(list["model"], name, "{sdk:?} {list}");
        }
        assert_eq!(house.sim.requests().len(), 0);
    }
}

/// What the provider does with a call of that kind. Whoever recorded Anthropic's stream trimmed its last line end, without which
/// the last event is none.
fn script(kind: &str) -> Script {
    if kind != "anthropic.messages_stream" {
        return Script::default();
    }
    let recorded = provider_sim::recording("anthropic/stream_tool_use.sse").unwrap();
    let whole = [recorded.trim_ascii_end(), b"\n\n"].concat();
    let headers = vec![("Content-Type".to_owned(), "text/event-stream; charset=utf-8".to_owned())];
    Script { headers, ..Script::bytes(whole) }
}

/// What a list holds in the dialect of this endpoint: those that speak it.
fn listed(name: &str) -> &'static [&'static str] {
    if name == GPT.0 { &["gpt", "spared"] } else { &["claude"] }
}

/// An outcome has in it what the provider gives.
fn well(kind: &str, outcome: &Value) {
    assert_eq!(outcome["outcome"], "ok", "{kind}: {outcome}");
    if kind.ends_with("_stream") {
        assert!(outcome["events"].as_array().unwrap().len() > 1, "{kind}: {outcome}");
    } else {
        assert!(outcome["result"].is_object(), "{kind}: {outcome}");
    }
    if kind == "openai.embeddings" {
        // JavaScript writes 1.0 as 1.
        let numbers = outcome["result"]["data"][0]["embedding"].as_array().unwrap();
        let numbers: Vec<_> = numbers.iter().filter_map(Value::as_f64).collect();
        assert_eq!(numbers, [0.5, -0.25, 1.0]);
    }
}

/// What Keyward sent is what the SDK sends to the provider itself, but for the key.
fn same_request(there: &Received, here: &Received) {
    assert_eq!(here.target, there.target);
    assert_eq!(plain_body(here), plain_body(there), "{}", here.target);
    let key = |name| here.header(name).unwrap_or_default().to_owned();
    let keys = [key("authorization"), key("x-api-key")];
    let openai = [format!("Bearer {OPENAI_KEY}"), String::new()];
    assert!(keys == openai || keys == [String::new(), ANTHROPIC_KEY.to_owned()], "{keys:?}");
    for name in ["user-agent", "anthropic-version", "x-stainless-lang", "x-stainless-package-version"] {
        assert_eq!(here.header(name), there.header(name), "{} {name}", here.target);
    }
}

/// The body; of a form without its boundary, which an SDK makes up for each.
fn plain_body(request: &Received) -> Vec<u8> {
    let kind = request.header("content-type").unwrap_or_default();
    let Some((_, boundary)) = kind.split_once("boundary=") else { return request.body.to_vec() };
    let text: String = request.body.iter().copied().map(char::from).collect();
    text.replace(boundary.trim_matches('"'), "boundary").chars().map(|byte| byte as u8).collect()
}

/// Status, and the exceptions of OpenAI's SDKs and of Anthropic's.
const STATUSES: [(u16, &str, &str); 6] = [
    (400, "BadRequestError", "BadRequestError"),
    (401, "AuthenticationError", "AuthenticationError"),
    (404, "NotFoundError", "NotFoundError"),
    (429, "RateLimitError", "RateLimitError"),
    (500, "InternalServerError", "InternalServerError"),
    (529, "InternalServerError", "OverloadedError"),
];

async fn every_status_is_the_exception_of_its_sdk(shape: Shape) {
    let Some(house) = furnished(shape).await else { return };
    let scripts = STATUSES.map(|(status, ..)| match status {
        429 => Script::status(status).header("retry-after", "1"),
        _ => Script::status(status),
    });
    for sdk in sdks(shape) {
        for kind in
            ["openai.chat", "openai.responses_stream", "anthropic.messages", "anthropic.messages_stream"]
        {
            let cases = vec![case(kind); scripts.len()];
            let Some(there) = direct(&house, *sdk, &scripts, &cases).await else { continue };
            let Some(here) = through(&house, *sdk, &scripts, &cases).await else { continue };
            for ((status, openai, anthropic), (there, here)) in STATUSES.iter().zip(there.iter().zip(&here)) {
                assert_eq!(here, there, "{sdk:?} {kind} {status}");
                let class = if kind.starts_with("openai") { openai } else { anthropic };
                assert_eq!(
                    (&here["type"], &here["status"], &here["request_id"]),
                    (&json!(class), &json!(status), &json!("req_sim")),
                    "{sdk:?} {kind} {here}"
                );
                let wait = if *status == 429 { json!("1") } else { Value::Null };
                assert_eq!(here["retry_after"], wait, "{sdk:?} {kind} {here}");
            }
        }
    }
}

async fn a_broken_stream_is_raised(shape: Shape) {
    let Some(house) = furnished(shape).await else { return };
    let streams = [
        ("openai.chat_stream", "openai/stream_text_gpt-4o-mini.sse"),
        ("openai.responses_stream", "openai/responses_stream.sse"),
        ("anthropic.messages_stream", "anthropic/stream_tool_use.sse"),
    ];
    for sdk in sdks(shape) {
        for (kind, recording) in streams {
            let end = two_events(provider_sim::recording(recording).unwrap());
            let scripts = [
                Script::default().cut(end, Cut::Reset),
                Script::default().cut(end, Cut::Clean),
                Script::default().cut(end + 20, Cut::Clean),
            ];
            let Some(outcomes) = through(&house, *sdk, &scripts, &vec![case(kind); 3]).await else {
                continue;
            };
            for (script, outcome) in scripts.iter().zip(&outcomes) {
                let what = format!("{sdk:?} {kind} {:?}: {outcome}", script.end);
                assert_eq!(outcome["outcome"], "raised", "{what}");
                assert!(!outcome["events"].as_array().unwrap().is_empty(), "what came is delivered: {what}");
            }
        }
    }
}

/// Where the second event of a recording ends.
fn two_events(recorded: &[u8]) -> usize {
    let ends = recorded.windows(2).enumerate().filter(|(_, window)| *window == b"\n\n");
    ends.map(|(at, _)| at + 2).nth(1).unwrap()
}

async fn what_keyward_refuses_is_an_exception_too(shape: Shape) {
    let Some(house) = furnished(shape).await else { return };
    let other = |kind: &str, model: &str| json!({ "kind": kind, "model": model });
    let cases = [
        other("openai.chat", "nobody"),
        other("openai.chat_stream", "nobody"),
        other("anthropic.messages", "nobody"),
        other("anthropic.messages", GPT.0),
        other("openai.chat", CLAUDE.0),
    ];
    for sdk in sdks(shape) {
        let Some(outcomes) = through(&house, *sdk, &[], &cases).await else { continue };
        for outcome in &outcomes[..3] {
            assert_eq!((&outcome["type"], &outcome["status"]), (&json!("NotFoundError"), &json!(404)));
            assert!(outcome["message"].as_str().unwrap().contains("nobody"), "{outcome}");
        }
        for outcome in &outcomes[3..] {
            assert_eq!(outcome["type"], "BadRequestError", "{sdk:?} {outcome}");
            let message = outcome["message"].as_str().unwrap().to_lowercase();
            assert!(message.contains("openai") && message.contains("anthropic"), "{sdk:?} {message}");
        }
        assert!(outcomes.iter().all(|outcome| outcome["request_id"].is_string()), "{sdk:?} {outcomes:?}");
        assert_eq!(house.sim.requests().len(), 0);
    }
}

async fn a_spare_answers_for_one_that_is_down(shape: Shape) {
    let Some(house) = furnished(shape).await else { return };
    for sdk in sdks(shape) {
        for kind in ["openai.chat", "openai.responses_stream"] {
            let cases = [json!({ "kind": kind, "model": "spared" })];
            let scripts = [Script::status(503), Script::default()];
            let Some(outcomes) = through(&house, *sdk, &scripts, &cases).await else { continue };
            well(kind, &outcomes[0]);
            let models: Vec<Value> = house.sim.requests().iter().map(model_of).collect();
            assert_eq!(models, ["gpt-4o-mini", "gpt-4.1"], "{sdk:?} {kind}");
        }
    }
}

fn model_of(request: &Received) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["model"].clone()
}
