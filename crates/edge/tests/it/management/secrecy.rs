//! No value of a secret in any answer, whatever is wrong with the request that carries it.

use serde_json::json;

use super::{Api, gateway};

const CANARY: &str = "sk-canary-9f8e7d6c5b4a39281706";

#[tokio::test]
async fn no_answer_repeats_a_key() {
    let api = Api::new();
    let value = json!({"api_key": CANARY});
    let bodies = [
        json!({"secret_name": "n", "secret_value": value}).to_string(),
        json!({"secret_name": "n", "secret_value": value}).to_string(),
        json!({"secret_value": value}).to_string(),
        json!({"secret_name": "m", "secret_value": CANARY}).to_string(),
        json!({"secret_name": "m", "secret_value": [CANARY]}).to_string(),
        json!({"secret_name": "m", "secret_value": {CANARY: ""}}).to_string(),
        json!({"secret_name": "m", "secret_value": {CANARY: 1}}).to_string(),
        json!({"secret_name": "m", "secret_value": {"api_key": [CANARY]}}).to_string(),
        json!({"secret_name": "m", "secret_value": value, "provider": format!("{CANARY}/")}).to_string(),
        json!({"secret_name": "m", "secret_value": value, "auth_config": {CANARY: 1}}).to_string(),
        json!({"secret_name": "m", "secret_value": value, "auth_config_json": format!("{{{CANARY}")})
            .to_string(),
        json!({"secret_name": "m", "secret_value": value, "created_by": format!("{CANARY}\n")}).to_string(),
        json!({"secret_id": "s-x", "secret_value": value}).to_string(),
        format!(r#"{{"secret_name":"m","secret_value":{{"{CANARY}":"a","{CANARY}":"b"}}}}"#),
        format!(r#"{{"secret_name":"m","secret_value":{{"api_key":"{CANARY}"#),
        CANARY.to_string(),
        format!("\"{CANARY}\""),
    ];
    for route in ["secrets/create", "secrets/update"] {
        for body in &bodies {
            let answer = api.post(&gateway(route), body).await;
            assert!(!answer.text.contains(CANARY), "{route} {body}: {}", answer.text);
            assert!(!format!("{:?}", answer.headers).contains(CANARY));
        }
    }
    assert!(!api.get(&gateway("secrets/list")).await.text.contains(CANARY));
}
