//! Vertex AI through the real binary: a token is fetched for a stored credential, once, and calls go out with it.

use e2e::{PATIENCE, Plan, Shape};
use provider_sim::{Body, Match, Script};
use serde_json::{Value, json};

use crate::in_both_shapes;

const TOKEN: &str = "ya29.Canary-e2e-granted-token";
const REFRESH: &str = "1//Canary-e2e-refresh-token";

in_both_shapes!(calls_of_two_dialects_go_out_with_one_token);

async fn calls_of_two_dialects_go_out_with_one_token(shape: Shape) {
    let Some(house) = Plan::new(shape).forwarders(&["vertex_ai"]).start().await.unwrap() else { return };
    let credentials = json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "Canary-e2e-client-secret",
        "refresh_token": REFRESH, "token_uri": format!("{}/token", house.sim.http1_url()),
    });
    let admin = house.admin().unwrap();
    let body = json!({
        "secret_name": "vertex", "provider": "vertex_ai",
        "secret_value": { "vertex_credentials": credentials.to_string() },
        "auth_config": { "api_base": house.api_base(), "vertex_project": "my-project" },
    });
    let secret = admin.post("secrets/create", &body).await.unwrap();
    assert_eq!(secret.status, 200, "{}", secret.text);
    let secret = secret.json()["secret"]["secret_id"].as_str().unwrap().to_owned();
    for (endpoint, model) in [("gemini-v1", "gemini-2.5-flash"), ("claude-v1", "claude-sonnet-4-5")] {
        let definition = admin.model_for("vertex_ai", endpoint, &secret, model).await.unwrap();
        admin.endpoint(endpoint, &definition).await.unwrap();
    }
    house.sim.script(Match::target("/token"), answering(&json!({"access_token": TOKEN, "expires_in": 3599})));
    house.sim.script(Match::target("generateContent"), answering(&json!({"candidates": []})));
    house.sim.script(Match::target("rawPredict"), answering(&json!({"type": "message"})));

    let gemini = json!({ "contents": [] });
    let message = json!({ "model": "claude-v1", "max_tokens": 16, "messages": [] });
    for _ in 0..2 {
        call(&house.url, "/gateway/gemini/v1/models/gemini-v1:generateContent", &gemini).await;
        call(&house.url, "/gateway/anthropic/v1/messages", &message).await;
    }
    let requests = house.sim.requests();
    let place = "/v1/projects/my-project/locations/global/publishers";
    let to = |target: String| requests.iter().filter(|request| request.target == target).collect::<Vec<_>>();
    let calls = [
        to(format!("{place}/google/models/gemini-2.5-flash:generateContent")),
        to(format!("{place}/anthropic/models/claude-sonnet-4-5:rawPredict")),
    ];
    assert_eq!(calls.each_ref().map(Vec::len), [2, 2], "{requests:?}");
    for call in calls.concat() {
        assert_eq!(call.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    }
    assert_eq!(to("/token".to_owned()).len(), 1, "one token for all of them");
    for secret in [TOKEN, REFRESH, "Canary-e2e-client-secret"] {
        assert!(!house.said().contains(secret), "a process said it");
    }
}

fn answering(body: &Value) -> Script {
    Script { body: Body::Text(body.to_string()), ..Script::default() }
        .header("Content-Type", "application/json")
}

async fn call(url: &str, path: &str, body: &Value) {
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let answer =
        http.post(format!("{url}{path}")).header("x-api-key", "dummy").json(body).send().await.unwrap();
    let status = answer.status();
    assert_eq!(status, 200, "{path}: {}", answer.text().await.unwrap());
}
