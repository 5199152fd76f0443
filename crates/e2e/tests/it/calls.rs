//! Calls that go well, with Google's SDKs: what they see through Keyward is what they see at the provider.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use e2e::{House, Plan, Sdk, Shape, calls};
use provider_sim::{Received, Script};
use serde_json::{Value, json};

use crate::{KEY, case, in_both_shapes, plain, published, recorded, text_until};

in_both_shapes!(every_kind_of_call_is_what_it_is_at_the_provider, twenty_megabytes_of_image_arrive);

const STRUCTURED: &str = r#"{"candidates":[{"content":{"parts":[{"text":"{\"name\": \"Rösti\", \"minutes\": 40}"}],"role":"model"},"finishReason":"STOP"}]}"#;

/// What a kind of call gets from the provider: a script for each of its requests.
fn scripts(kind: &str) -> Vec<Script> {
    match kind {
        "tools" => vec![Script::recording("unary_vertex_function_call_id_signature"), Script::default()],
        "structured" => vec![Script::bytes(STRUCTURED)],
        "chat" => vec![Script::default(), Script::default()],
        _ => vec![Script::default()],
    }
}

/// Streams whose answers hold what is easily lost: thoughts, signatures, code, calls, refusals.
const RECORDINGS: [&str; 6] = [
    "stream_thought_summaries_2.5_pro",
    "stream_function_call_thought_signature_3_pro",
    "stream_function_call_with_id_3_flash",
    "stream_code_execution_3_flash",
    "stream_web_fetch_2.5_flash",
    "firebase_stream_thinking_function_call",
];

async fn every_kind_of_call_is_what_it_is_at_the_provider(shape: Shape) {
    let Some(house) = plain(shape).await else { return };
    let sdks = if shape == Shape::Serve { &Sdk::ALL[..] } else { &[Sdk::Python][..] };
    for sdk in sdks {
        let mut kinds = vec!["unary", "stream", "chat", "tools", "structured"];
        if *sdk != Sdk::JavaScript {
            kinds.extend(["async_unary", "async_stream", "chat_stream"]);
        }
        let mut cases: Vec<Value> = kinds.iter().map(|kind| case(kind)).collect();
        cases.extend(RECORDINGS.iter().map(|_| case("stream")));
        let play = |name: &&str| Script::recording(name);
        let script: Vec<_> =
            kinds.iter().flat_map(|kind| scripts(kind)).chain(RECORDINGS.iter().map(play)).collect();
        let Some((outcomes, requests)) = both_ways(&house, *sdk, &cases, &script).await else { continue };
        check(*sdk, &kinds, &outcomes, &requests);
    }
}

/// Makes the calls at the provider itself and through Keyward. Both must come to the same; the result is what Keyward
/// gave, and what it sent.
async fn both_ways(
    house: &House,
    sdk: Sdk,
    cases: &[Value],
    scripts: &[Script],
) -> Option<(Vec<Value>, Vec<Received>)> {
    house.play(scripts);
    let direct = calls(sdk, house.folder(), &house.sim.http1_url(), cases).await.unwrap()?;
    let asked = house.sim.requests();
    house.play(scripts);
    let through = calls(sdk, house.folder(), &house.gemini_url(), cases).await.unwrap()?;
    let requests = house.sim.requests();
    for ((case, direct), through) in cases.iter().zip(&direct).zip(&through) {
        assert_eq!(through, direct, "{sdk:?} {case}");
    }
    // Bytes pass untouched: what the SDK sent to the provider itself is what Keyward sent there.
    assert_eq!(requests.len(), asked.len());
    for (direct, through) in asked.iter().zip(&requests) {
        assert_eq!(through.body, direct.body, "{sdk:?} {}", through.target);
        assert_eq!(through.target, direct.target.replace("gemini-v1", "gemini-2.5-flash"));
        assert_eq!(through.header("x-goog-api-key"), Some(KEY));
        for name in ["x-goog-api-client", "user-agent", "content-type"] {
            assert_eq!(through.header(name), direct.header(name), "{sdk:?} {name}");
        }
    }
    Some((through, requests))
}

fn check(sdk: Sdk, kinds: &[&str], outcomes: &[Value], requests: &[Received]) {
    let of = |kind: &str| &outcomes[kinds.iter().position(|other| *other == kind).unwrap()];
    for (kind, outcome) in kinds.iter().chain(&RECORDINGS).zip(outcomes) {
        assert_eq!(outcome["outcome"], "ok", "{sdk:?} {kind}: {outcome}");
    }
    assert!(of("unary")["text"].as_str().unwrap().contains("Hello"), "{}", of("unary"));
    for kind in ["stream", "async_stream", "chat_stream"].iter().filter(|kind| kinds.contains(kind)) {
        assert_eq!(of(kind)["text"], text_until(recorded().len()).as_str());
        assert_eq!((&of(kind)["chunks"], &of(kind)["finish_reason"]), (&json!(3), &json!("STOP")));
        assert_eq!(of(kind)["total_tokens"], 133);
    }
    assert_eq!(of("chat")["history"], json!(["user", "model", "user", "model"]));
    assert_eq!(of("structured")["parsed"], json!({ "name": "Rösti", "minutes": 40 }));
    assert_eq!(of("tools")["function_calls"], json!(["get_user_city"]));
    // The signature goes back to the provider as it came: without it the provider refuses the next turn.
    let signature = of("tools")["signatures"][0].as_str().unwrap();
    let signature = STANDARD.encode(hex::decode(signature).unwrap());
    let url_safe = signature.replace('+', "-").replace('/', "_");
    let sent = |text: &str| requests.iter().any(|request| contains(&request.body, text.as_bytes()));
    assert!(sent(&signature) || sent(&url_safe), "{sdk:?}: the signature did not go back");
    let thoughts = &outcomes[kinds.len()]["thoughts"];
    assert!(thoughts.as_str().is_some_and(|thoughts| thoughts.len() > 100), "{thoughts}");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

async fn twenty_megabytes_of_image_arrive(shape: Shape) {
    const SIZE: usize = 20 * 1024 * 1024;
    let Some(house) = plain(shape).await else { return };
    let sdks = if shape == Shape::Serve { &[Sdk::Python, Sdk::JavaScript][..] } else { &[Sdk::Python][..] };
    for sdk in sdks {
        house.sim.clear();
        let case = json!({ "kind": "image", "model": "gemini-v1", "bytes": SIZE });
        let outcomes = calls(*sdk, house.folder(), &house.gemini_url(), &[case]).await.unwrap();
        let Some(outcomes) = outcomes else { continue };
        assert_eq!(outcomes[0]["outcome"], "ok", "{sdk:?}: {}", outcomes[0]);
        let request = house.sim.wait_for_request(1).await.unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let parts = body["contents"][0]["parts"].as_array().unwrap();
        let data = parts[0]["inlineData"]["data"].as_str().unwrap();
        // Python writes base64 in the alphabet for URLs.
        let image = STANDARD.decode(data.replace('-', "+").replace('_', "/")).unwrap();
        assert_eq!(image.len(), SIZE);
        assert!(
            image.iter().enumerate().all(|(n, byte)| usize::from(*byte) == n % 251 * 31 % 251),
            "{sdk:?}"
        );
    }
}

/// `GET /v1/models` lists endpoints in Gemini's shape; the provider is not asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_are_listed_as_models() {
    let Some(house) = plain(Shape::Serve).await else { return };
    for sdk in Sdk::ALL {
        let outcomes = calls(sdk, house.folder(), &house.gemini_url(), &[case("models")]).await.unwrap();
        let Some(outcomes) = outcomes else { continue };
        assert_eq!(outcomes[0]["models"], json!(["models/gemini-v1"]), "{sdk:?} {}", outcomes[0]);
        assert_eq!(outcomes[0]["model"], "models/gemini-v1", "{sdk:?}");
    }
    assert_eq!(house.sim.requests().len(), 0);
}

/// HTTP/2 toward the provider, over TLS with a company's own certificate authority.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_may_speak_http2_over_tls() {
    for shape in [Shape::Serve, Shape::Apart] {
        let Some(house) = published(Plan::new(shape).provider(e2e::Provider::Http2)).await else { continue };
        let cases = [case("unary"), case("stream")];
        let Some(outcomes) = calls(Sdk::Python, house.folder(), &house.gemini_url(), &cases).await.unwrap()
        else {
            return;
        };
        assert_eq!(outcomes[1]["text"], text_until(recorded().len()).as_str(), "{outcomes:?}");
        let requests = house.sim.requests();
        assert!(
            requests.iter().all(|request| request.tls && request.protocol == provider_sim::Protocol::Http2)
        );
        assert_eq!(requests.len(), 2);
    }
}
