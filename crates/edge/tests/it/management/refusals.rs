//! Mistakes that callers make, one row each: what is sent, and what the answer's message is or has in it.

use serde_json::{Value, json};

use super::{Api, gateway};

/// A secret, a model definition of it and an endpoint `taken`.
async fn furnished() -> (Api, Value, Value) {
    let api = Api::new();
    let secret = json!({"secret_name": "s", "secret_value": {"api_key": "k"}, "provider": "gemini"});
    let secret = api.made("secrets/create", secret).await["secret"]["secret_id"].clone();
    let definition = json!({"name": "d", "secret_id": secret, "provider": "gemini", "model_name": "m"});
    let definition = api.made("model-definitions/create", definition).await;
    let definition = definition["model_definition"]["model_definition_id"].clone();
    api.made("endpoints/create", json!({"name": "taken", "model_definition_ids": [definition]})).await;
    (api, secret, definition)
}

#[tokio::test]
async fn of_shape_in_secrets() {
    let create = "secrets/create";
    refused(create, &[
        (r#"{"secret_name":"n","secret_value":{}}"#, "Missing value for required parameter 'secret_value'."),
        (r#"{"secret_name":"n","secret_value":null}"#, "Missing value for required parameter 'secret_value'."),
        (r#"{"secret_name":"n","secret_value":["k"]}"#, "'secret_value' supplied: must be an object, but was of type 'array'"),
        (r#"{"secret_name":"n","secret_value":{"api_key":" "}}"#, "'secret_value.api_key' supplied: must not be empty"),
        (r#"{"secret_name":"n","secret_value":{"api_key":null}}"#, "'secret_value.api_key' supplied: must be a string, but was of type 'null'"),
        (r#"{"secret_name":"n","secret_value":{"a":"1","a":"2"}}"#, "specifies 'secret_value.a' more than once"),
        (r#"{"secret_name":" ","secret_value":{"a":"1"}}"#, "'secret_name' supplied: must not be empty"),
        (r#"{"secret_name":"a\u0000b","secret_value":{"a":"1"}}"#, "'secret_name' supplied: may contain only"),
        (r#"{"secret_name":"n","secret_name":"n","secret_value":{"a":"1"}}"#, "specifies 'secret_name' more than once"),
        (r#"{"secret_name":"n","secretName":"n","secret_value":{"a":"1"}}"#, "Request specifies both 'secret_name' and 'secretName'; provide only one of them."),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"provider":5}"#, "'provider' supplied: must be a string, but was of type 'number'"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"provider":"a b"}"#, "'provider' supplied: may contain only"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config":"x"}"#, "'auth_config' supplied: must be an object"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config":{"api_base":1}}"#, "'auth_config.api_base' supplied: must be a string"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config_json":"{"}"#, "'auth_config_json' supplied: is not valid JSON: it ends too early, at byte 1"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config_json":"[]"}"#, "'auth_config_json' supplied: must be a JSON object"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config_json":"{\"a\":1}"}"#, "'auth_config_json.a' supplied: must be a string"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config_json":{}}"#, "'auth_config_json' supplied: must be a string"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"auth_config":{"a":"b"},"auth_config_json":"{}"}"#, "both 'auth_config' and 'auth_config_json'"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"created_by":7}"#, "'created_by' supplied: must be a string"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"created_by":"a\nb"}"#, "'created_by' supplied: may contain only"),
        (r#"{"secret_name":"n","secret_value":{"a":"1"},"provider":"Gemini"}"#, "secret_value of provider 'gemini' must have the field 'api_key'"),
        (r#"{"secret_name":"n","secret_value":{"key":"1"},"provider":"openai"}"#, "must have the field 'api_key'"),
        (r#"{"secret_name":5,"secret_value":"x","provider":[]}"#, "'provider' supplied: must be a string, but was of type 'array'"),
        ("\"text\"", "must be a JSON object, but was of type 'string'"),
        ("{\"a\":1}{", "is not valid JSON: error at byte 7"),
    ]).await;
}

#[tokio::test]
async fn of_fields_that_a_known_provider_needs() {
    let (api, secret, _) = furnished().await;
    let id = secret.as_str().unwrap();
    let changed =
        api.post(&gateway("secrets/update"), json!({"secret_id": id, "secret_value": {"key": "k"}})).await;
    assert_eq!(changed.status, 400);
    // What others need is not known here.
    let other = json!({"secret_name": "o", "secret_value": {"key": "k"}, "provider": "someone"});
    api.made("secrets/create", other).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn of_shape_in_endpoints() {
    let (api, _, definition) = furnished().await;
    let definition = definition.as_str().unwrap();
    let config = |rest: &str| {
        format!(
            r#"{{"name":"e","model_configs":[{{"model_definition_id":"{definition}","linkage_type":"PRIMARY"}}]{rest}}}"#
        )
    };
    let one = |config: &str| {
        format!(r#"{{"name":"e","model_configs":[{{"model_definition_id":"{definition}",{config}}}]}}"#)
    };
    let linkage = "Invalid or missing value for required parameter 'linkage_type' in model_configs[0]. Must be one of: PRIMARY, FALLBACK.";
    let rows = [
        (config(r#","model_definition_ids":["d"]"#), "both 'model_configs' and 'model_definition_ids'"),
        (
            config(r#","routing_strategy":"NOPE""#),
            "'routing_strategy' supplied: must be one of: REQUEST_BASED_TRAFFIC_SPLIT",
        ),
        (config(r#","routing_strategy":0"#), "'routing_strategy' supplied"),
        (
            config(r#","fallback_config":{"strategy":"NOPE"}"#),
            "'fallback_config.strategy' supplied: must be one of: SEQUENTIAL",
        ),
        (
            config(r#","fallback_config":{"max_attempts":0}"#),
            "'fallback_config.max_attempts' supplied: must be at least 1",
        ),
        (config(r#","fallback_config":{"max_attempts":1.5}"#), "must be an integer of 32 bits"),
        (config(r#","fallback_config":{"max_attempts":4294967296}"#), "must be an integer of 32 bits"),
        (config(r#","fallback_config":7"#), "'fallback_config' supplied: must be an object"),
        (
            config(r#","experiment_id":"abc""#),
            "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.",
        ),
        (config(r#","experiment_id":"-1""#), "Invalid experiment ID '-1'"),
        (config(r#","experiment_id":3"#), "'experiment_id' supplied: must be a string"),
        (config(r#","usage_tracking":"yes""#), "'usage_tracking' supplied: must be a boolean"),
        (one(r#""linkage_type":"ZZZ""#), linkage),
        (one(r#""linkage_type":3"#), linkage),
        (one(r#""linkage_type":null"#), linkage),
        (
            one(r#""linkage_type":"PRIMARY","weight":"1""#),
            "'model_configs[0].weight' supplied: must be a number",
        ),
        (one(r#""linkage_type":"PRIMARY","weight":0"#), "weight"),
        (one(r#""linkage_type":"PRIMARY","weight":-1"#), "weight"),
        (
            one(r#""linkage_type":"FALLBACK","fallback_order":"1""#),
            "'model_configs[0].fallback_order' supplied: must be an integer",
        ),
        (
            r#"{"name":"e","model_configs":[{"linkage_type":"PRIMARY"}]}"#.to_owned(),
            "'model_configs[0].model_definition_id'",
        ),
        (
            r#"{"name":"e","model_configs":["x"]}"#.to_owned(),
            "'model_configs[0]' supplied: must be an object",
        ),
        (r#"{"name":"e","model_configs":{}}"#.to_owned(), "'model_configs' supplied: must be an array"),
        (
            r#"{"name":"e","model_configs":[]}"#.to_owned(),
            "Missing value for required parameter 'model_configs'.",
        ),
        (
            r#"{"name":"e","modelConfigs":[{}]}"#.to_owned(),
            "Missing value for required parameter 'model_configs'.",
        ),
        (
            r#"{"name":"e","model_definition_ids":[]}"#.to_owned(),
            "Missing value for required parameter 'model_configs'.",
        ),
        (
            r#"{"name":"e","model_definition_ids":[1]}"#.to_owned(),
            "'model_definition_ids[0]' supplied: must be a string",
        ),
        (
            r#"{"name":"e","model_definition_ids":[""]}"#.to_owned(),
            "'model_definition_ids[0]' supplied: must not be empty",
        ),
        (config("").replace(r#""e""#, r#""a\nb""#), "Invalid endpoint name 'a\\nb'."),
        (
            config("").replace(r#""e""#, &format!("\"{}\"", "x".repeat(256))),
            "'name' supplied: must be at most 255 characters long",
        ),
    ];
    for (body, message) in rows {
        let (status, _, told) = api.post(&gateway("endpoints/create"), &body).await.error();
        assert_eq!(status, 400, "{body}: {told}");
        assert!(told.contains(message), "{body}: {told}");
        assert_eq!(told.matches("Missing value").count(), usize::from(told.contains("Missing")), "{told}");
    }
}

#[tokio::test]
async fn of_shape_elsewhere() {
    refused(
        "endpoints/models/attach",
        &[
            (r#"{"endpoint_id":"e-0"}"#, "Missing value for required parameter 'model_config'."),
            (
                r#"{"endpoint_id":"e-0","model_config":{"linkage_type":"PRIMARY"}}"#,
                "'model_config.model_definition_id'",
            ),
            (
                r#"{"endpoint_id":"e-0","model_config":{"model_definition_id":"d"}}"#,
                "required parameter 'linkage_type' in model_config.",
            ),
            (
                r#"{"endpoint_id":"e-0","model_config":{},"model_definition_id":"d"}"#,
                "both 'model_config' and 'model_definition_id'",
            ),
            (r#"{"model_definition_id":"d-0","weight":[]}"#, "'weight' supplied: must be a number"),
        ],
    )
    .await;
    refused(
        "endpoints/bindings/create",
        &[
            (
                r#"{"endpoint_id":"e-0","resource_type":"zzz","resource_id":"r"}"#,
                "'resource_type' supplied: must be one of: scorer, scorer_job",
            ),
            (
                r#"{"endpoint_id":"e-0","resource_id":"r"}"#,
                "Missing value for required parameter 'resource_type'.",
            ),
        ],
    )
    .await;
    refused(
        "endpoints/set-tag",
        &[
            (r#"{"endpoint_id":"e-0","key":"","value":"x"}"#, "Missing value for required parameter 'key'."),
            (r#"{"endpoint_id":"e-0","key":"k","value":1}"#, "'value' supplied: must be a string"),
        ],
    )
    .await;
    refused("model-definitions/create", &[(
        "{}",
        "'name'. See the API docs for more information about request parameters. Missing value for required parameter 'secret_id'.",
    )]).await;
}

async fn refused(route: &str, rows: &[(&str, &str)]) {
    let api = Api::new();
    for (body, message) in rows {
        let (status, code, told) = api.post(&gateway(route), body).await.error();
        assert_eq!((status, code.as_str()), (400, "INVALID_PARAMETER_VALUE"), "{body}: {told}");
        assert!(told.contains(message), "{body}: {told}");
    }
}

#[tokio::test]
async fn of_experiments() {
    let api = Api::new();
    let search = "/api/2.0/mlflow/experiments/search";
    for body in [
        r#"{"max_results":0}"#,
        r#"{"max_results":50001}"#,
        r#"{"view_type":"NOPE"}"#,
        r#"{"page_token":"x"}"#,
    ] {
        assert_eq!(api.post(search, body).await.error().0, 400, "{body}");
    }
    assert_eq!(api.post(search, r#"{"filter":"name = 'x'"}"#).await.error().0, 501);
    assert_eq!(api.post(search, r#"{"order_by":["name"]}"#).await.error().0, 501);
    let get = "/api/2.0/mlflow/experiments/get";
    assert_eq!(api.get(&format!("{get}?experiment_id=x")).await.error().0, 400);
    assert_eq!(api.get(get).await.error().0, 400);
}

#[tokio::test]
async fn of_queries() {
    let (api, ..) = furnished().await;
    let ask = async |query: &str| api.get(&gateway(query)).await;
    assert_eq!(ask("endpoints/get?name=taken&name=taken").await.status, 200, "said twice is said");
    assert!(ask("endpoints/get?name=taken&name=other").await.error().2.contains("more than once"));
    assert_eq!(ask("endpoints/get?name=%ff").await.error().0, 400);
    assert_eq!(ask("endpoints/get?endpoint_id=&name=taken").await.status, 200, "nothing said");
    assert_eq!(ask("endpoints/list?bogus=1").await.status, 200);
    assert_eq!(ask("secrets/list?provider=").await.json()["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(ask("secrets/list?provider=a/b").await.error().0, 400);
}

#[tokio::test]
async fn identifiers_that_cannot_exist_are_not_found() {
    let (api, secret, definition) = furnished().await;
    let long = "x".repeat(1000);
    let get = api.get(&gateway(&format!("secrets/get?secret_id={long}%00"))).await;
    let (status, _, message) = get.error();
    assert_eq!(status, 404);
    assert!(message.len() < 400 && !message.contains('\0'), "{message}");
    let ids = json!({"name": "e", "model_definition_ids": ["d-x", definition, "d-y"]});
    let (status, _, message) = api.post(&gateway("endpoints/create"), ids).await.error();
    assert_eq!((status, message.as_str()), (404, "Model definitions not found: d-x, d-y"));
    let update = json!({"model_definition_id": definition, "secret_id": "S-1", "name": 5});
    let (status, ..) = api.post(&gateway("model-definitions/update"), update).await.error();
    assert_eq!(status, 400, "a mistake of shape comes before what is not there");
    let none = api.get(&gateway(&format!("endpoints/list?secret_id={}", secret.as_str().unwrap()))).await;
    assert_eq!(none.json()["endpoints"].as_array().unwrap().len(), 1);
}
