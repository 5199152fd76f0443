//! The admin's command line against a running Keyward.

use e2e::{House, Plan, Run, Shape, keyward};
use provider_sim::{Match, Script};
use serde_json::Value;

use crate::{KEY, in_both_shapes};

in_both_shapes!(an_admin_publishes_tests_and_takes_away);

async fn an_admin_publishes_tests_and_takes_away(shape: Shape) {
    let Some(house) = Plan::new(shape).start().await.unwrap() else { return };
    let create = format!("secret create gemini_api --provider gemini --api-base {}", house.api_base());
    let (code, said) = run(&house, &create, &format!("{KEY}\n")).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("gemini_api") && !said.contains(KEY), "{said}");
    done(&house, "model create flash --provider gemini --model gemini-2.5-flash --secret gemini_api").await;
    done(&house, "model create pro --provider gemini --model gemini-2.5-pro --secret gemini_api").await;
    done(&house, "endpoint create gemini-v1 --model flash --fallback pro").await;

    let listed: Value = serde_json::from_str(&done(&house, "endpoint list --json").await).unwrap();
    assert_eq!(listed["endpoints"][0]["name"], "gemini-v1");
    assert_eq!(listed["endpoints"][0]["model_mappings"].as_array().unwrap().len(), 2);
    assert!(done(&house, "endpoint list").await.contains("gemini/gemini-2.5-pro (fallback)"));
    assert!(done(&house, "secret get gemini_api").await.contains(&house.api_base()));
    test_calls(&house).await;

    // What a running endpoint needs is kept; everything else goes.
    let (code, said) = run(&house, "model delete flash", "").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in use by endpoints"), "{said}");
    for delete in
        ["endpoint delete gemini-v1", "model delete flash", "model delete pro", "secret delete gemini_api"]
    {
        done(&house, delete).await;
    }
    let listed: Value = serde_json::from_str(&done(&house, "secret list --json").await).unwrap();
    assert_eq!(listed["secrets"].as_array().map_or(0, Vec::len), 0);
}

/// `endpoint test` says whose fault a failure is, also by its exit code.
async fn test_calls(house: &House) {
    let said = done(house, "endpoint test gemini-v1").await;
    assert!(said.contains("the endpoint works"), "{said}");
    // The fallback answers: callers are served, and the admin is told.
    house.sim.script_once(Match::any(), Script::status(503));
    let (code, said) = run(house, "endpoint test gemini-v1", "").await;
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("the primary failed; gemini/gemini-2.5-pro answered"), "{said}");
    house.sim.clear();
    // Every key is refused; from here on the targets rest.
    house.sim.script(Match::any(), Script::status(403));
    let (code, said) = run(house, "endpoint test gemini-v1", "").await;
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("provider"), "{said}");
    house.sim.clear();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_say_what_went_wrong() {
    let Some(house) = Plan::new(Shape::Serve).start().await.unwrap() else { return };
    // Refused, wrongly typed, not there.
    assert_eq!(run(&house, "secret get nothing", "").await.0, Some(1));
    assert_eq!(run(&house, "secret create empty --provider gemini", "").await.0, Some(1));
    assert_eq!(run(&house, "secret create", "").await.0, Some(2));
    let nobody = Run::new("secret list --url http://127.0.0.1:1");
    let finished = nobody.finish(&keyward().unwrap(), house.folder(), b"").await.unwrap();
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
}

/// Runs a command that must be done; what it printed.
async fn done(house: &House, command: &str) -> String {
    let (code, said) = run(house, command, "").await;
    assert_eq!(code, Some(0), "{command}: {said}");
    said
}

/// Its exit code, and all that it said.
async fn run(house: &House, command: &str, input: &str) -> (Option<i32>, String) {
    let run = Run::new(command).variable("KEYWARD_URL", &house.url);
    let finished = run.finish(&keyward().unwrap(), house.folder(), input.as_bytes()).await.unwrap();
    (finished.code, finished.stdout + &finished.stderr)
}
