//! Every error of the provider's arrives as the SDK's own typed exception, with the provider's details; every way in
//! which a stream can break is raised, never silent.

use e2e::{House, Plan, Sdk, Shape, calls};
use provider_sim::{Cut, Script};
use serde_json::{Value, json};

use crate::{boundaries, case, in_both_shapes, plain, published, recorded, text_until};

in_both_shapes!(every_status_is_the_sdks_own_exception, every_break_of_a_stream_is_raised);

/// Status, its name in google.rpc, and whether the simulator answers so by itself.
const STATUSES: [(u16, &str, bool); 15] = [
    (400, "INVALID_ARGUMENT", true),
    (400, "FAILED_PRECONDITION", false),
    (400, "OUT_OF_RANGE", false),
    (401, "UNAUTHENTICATED", true),
    (403, "PERMISSION_DENIED", true),
    (404, "NOT_FOUND", true),
    (409, "ABORTED", true),
    (409, "ALREADY_EXISTS", false),
    (429, "RESOURCE_EXHAUSTED", true),
    (499, "CANCELLED", true),
    (500, "INTERNAL", true),
    (500, "UNKNOWN", false),
    (501, "UNIMPLEMENTED", true),
    (503, "UNAVAILABLE", true),
    (504, "DEADLINE_EXCEEDED", true),
];

fn script((status, name, natural): (u16, &str, bool)) -> Script {
    if natural {
        return Script::status(status);
    }
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BILLING_DISABLED",
                           "domain": "googleapis.com", "metadata": { "service": "s" } }]);
    let body = json!({ "error": { "code": status, "message": "no", "status": name, "details": details } });
    Script {
        headers: vec![("Content-Type".into(), "application/json; charset=UTF-8".into())],
        ..Script::bytes(body.to_string())
    }
    .with_status(status)
}

async fn every_status_is_the_sdks_own_exception(shape: Shape) {
    let Some(house) = plain(shape).await else { return };
    let sdks = if shape == Shape::Serve { &Sdk::ALL[..] } else { &[Sdk::Python][..] };
    // A front end's refusal is a page, not JSON; it passes as it is.
    let scripts: Vec<Script> = STATUSES.into_iter().map(script).chain([Script::status(413)]).collect();
    for sdk in sdks {
        for kind in ["unary", "stream"] {
            let cases = vec![case(kind); scripts.len()];
            let Some(direct) = played(&house, *sdk, &house.sim.http1_url(), &cases, &scripts).await else {
                continue;
            };
            let Some(through) = played(&house, *sdk, &house.gemini_url(), &cases, &scripts).await else {
                continue;
            };
            for (row, (direct, through)) in STATUSES.iter().zip(direct.iter().zip(&through)) {
                assert_eq!(through, direct, "{sdk:?} {kind} {row:?}");
                typed(*sdk, row.0, row.1, through);
            }
            let page = through.last().unwrap();
            assert_eq!((&page["outcome"], &page["code"]), (&json!("raised"), &json!(413)), "{sdk:?} {page}");
            assert!(page["message"].as_str().unwrap().contains("<title>Error 413</title>"), "{page}");
        }
    }
}

/// The exception is the SDK's own, and tells what the provider said.
fn typed(sdk: Sdk, status: u16, name: &str, outcome: &Value) {
    assert_eq!((&outcome["outcome"], &outcome["code"]), (&json!("raised"), &json!(status)), "{outcome}");
    if sdk == Sdk::JavaScript {
        assert_eq!(outcome["name"], "ApiError", "{outcome}");
        let message = outcome["message"].as_str().unwrap();
        assert!(message.contains(name) && message.contains("\"details\""), "{outcome}");
        return;
    }
    let class = if status < 500 { "ClientError" } else { "ServerError" };
    assert_eq!((&outcome["module"], &outcome["type"]), (&json!("google.genai.errors"), &json!(class)));
    assert_eq!(outcome["status"], name);
    let details = outcome["details"]["error"]["details"].as_array();
    assert!(details.is_some_and(|details| !details.is_empty()), "{outcome}");
}

async fn played(
    house: &House,
    sdk: Sdk,
    url: &str,
    cases: &[Value],
    scripts: &[Script],
) -> Option<Vec<Value>> {
    house.play(scripts);
    calls(sdk, house.folder(), url, cases).await.unwrap()
}

async fn every_break_of_a_stream_is_raised(shape: Shape) {
    // Long enough for an event to cross a busy machine, short enough to wait for.
    let Some(house) = published(Plan::new(shape).config("[edge.limits]\nidle = \"2s\"")).await else {
        return;
    };
    let end = boundaries()[0];
    let mut scripts = Vec::new();
    for how in [Cut::Clean, Cut::Close, Cut::Reset, Cut::Silence] {
        scripts.push((end, Script::default().cut(end, how)));
        scripts.push((end + 50, Script::default().cut(end + 50, how)));
    }
    let failure =
        r#"data: {"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    let told = [&recorded()[..end], failure.as_bytes(), b"\r\n\r\n"].concat();
    scripts.push((
        end,
        Script { headers: vec![("Content-Type".into(), "text/event-stream".into())], ..Script::bytes(told) },
    ));
    let script: Vec<Script> = scripts.iter().map(|(_, script)| script.clone()).collect();
    for sdk in Sdk::ALL {
        let mut kinds = vec!["stream"];
        if sdk != Sdk::JavaScript {
            kinds.push("async_stream");
        }
        for kind in kinds {
            let cases = vec![case(kind); scripts.len()];
            let Some(outcomes) = played(&house, sdk, &house.gemini_url(), &cases, &script).await else {
                continue;
            };
            for ((at, script), outcome) in scripts.iter().zip(&outcomes) {
                let what = format!("{sdk:?} {kind} {:?}: {outcome}", script.end);
                assert_eq!(outcome["outcome"], "raised", "{what}");
                assert_eq!(
                    outcome["text"],
                    text_until(*at).as_str(),
                    "what came before is delivered: {what}"
                );
                assert_eq!(outcome["finish_reason"], Value::Null, "{what}");
                if *at == end {
                    said_by_name(sdk, outcome, &what);
                }
            }
            said_by_provider(sdk, outcomes.last().unwrap());
        }
    }
}

/// Between two events there is room to say what happened: the SDK raises its own exception.
fn said_by_name(sdk: Sdk, outcome: &Value, what: &str) {
    if sdk == Sdk::JavaScript {
        assert_eq!(outcome["name"], "ApiError", "{what}");
    } else {
        assert_eq!(outcome["module"], "google.genai.errors", "{what}");
        assert!(outcome["code"].as_u64().is_some_and(|code| code >= 500), "{what}");
    }
}

fn said_by_provider(sdk: Sdk, outcome: &Value) {
    let text = outcome["text_of_error"].as_str().unwrap();
    assert!(text.contains("The model is overloaded."), "{sdk:?} {outcome}");
}
