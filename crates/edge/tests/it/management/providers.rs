//! What is answered about providers and about the server.

use super::Api;

async fn auth(provider: &str) -> serde_json::Value {
    let path = format!("/ajax-api/3.0/mlflow/gateway/provider-config?provider={provider}");
    Api::new().get(&path).await.json()
}

/// The rows of the specification's table: modes, default first, then the fields that are required.
#[tokio::test]
async fn ways_to_authenticate() {
    let table = [
        (
            "bedrock",
            "api_key: api_key aws_region_name; access_keys: aws_access_key_id aws_secret_access_key; iam_role: aws_role_name; default_chain:",
        ),
        (
            "amazon-bedrock",
            "api_key: api_key aws_region_name; access_keys: aws_access_key_id aws_secret_access_key; iam_role: aws_role_name; default_chain:",
        ),
        ("azure", "api_key: api_key api_base api_version"),
        (
            "vertex_ai",
            "service_account_json: vertex_credentials vertex_project; default_chain: vertex_project",
        ),
        ("databricks", "pat_token: api_key api_base; oauth_m2m: client_secret api_base client_id"),
        (
            "sagemaker",
            "access_keys: aws_access_key_id aws_secret_access_key aws_region_name; iam_role: aws_access_key_id aws_secret_access_key aws_role_name aws_region_name; default_chain:",
        ),
        ("portkey", "api_key: api_key"),
        ("openai", "api_key: api_key"),
    ];
    for (provider, expected) in table {
        let auth = auth(provider).await;
        let modes = auth["auth_modes"].as_array().unwrap();
        let required = |mode: &serde_json::Value, kind: &str| {
            let fields = mode[kind].as_array().unwrap().iter();
            let required = fields.filter(|field| field["required"] == true);
            required.fold(String::new(), |told, field| told + " " + field["name"].as_str().unwrap())
        };
        let told: Vec<_> = modes
            .iter()
            .map(|mode| {
                format!(
                    "{}:{}{}",
                    mode["mode"].as_str().unwrap(),
                    required(mode, "secret_fields"),
                    required(mode, "config_fields")
                )
            })
            .collect();
        assert_eq!(told.join("; "), expected, "{provider}");
        assert_eq!(auth["default_mode"], modes[0]["mode"]);
    }
}

#[tokio::test]
async fn a_provider_must_be_named() {
    let answer = Api::new().get("/ajax-api/3.0/mlflow/gateway/provider-config").await;
    assert_eq!(answer.error().2, "Provider parameter is required");
}

#[tokio::test]
async fn models_have_every_member_and_claim_nothing_unknown() {
    let path = "/ajax-api/3.0/mlflow/gateway/supported-models";
    let models = Api::new().get(&format!("{path}?provider=gemini")).await.json();
    for model in models["models"].as_array().unwrap() {
        assert_eq!(model.as_object().unwrap().len(), 15, "{model}");
        assert!(model["input_cost_per_token"].is_null(), "no prices yet");
    }
    let all = Api::new().get(path).await.json();
    assert!(all["models"].as_array().unwrap().len() >= models["models"].as_array().unwrap().len());
    let none = Api::new().get(&format!("{path}?provider=openai")).await.json();
    assert_eq!(none, serde_json::json!({"models": []}));
}

#[tokio::test]
async fn the_version_is_that_of_the_mlflow_that_is_spoken() {
    let answer = Api::new().get("/version").await;
    assert_eq!(answer.text, "3.17.2");
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers["keyward-version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(Api::new().get("/health").await.headers["content-type"], "text/plain; charset=utf-8");
}
