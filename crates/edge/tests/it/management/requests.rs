//! What is understood beside the recordings: forms of both generations, defaults, and who is said to ask.

use serde_json::{Value, json};

use super::{Api, gateway};

async fn definitions(api: &Api) -> (Value, Value) {
    let secret = json!({"secret_name": "s", "secret_value": {"api_key": "k"}, "provider": "gemini"});
    let secret = api.made("secrets/create", secret).await["secret"]["secret_id"].clone();
    let mut made = Vec::new();
    for name in ["a", "b"] {
        let body = json!({"name": name, "secret_id": secret, "provider": "Gemini", "model_name": "m"});
        let definition = api.made("model-definitions/create", body).await;
        made.push(definition["model_definition"]["model_definition_id"].clone());
    }
    (made[0].clone(), made[1].clone())
}

#[tokio::test]
async fn settings_of_3_8_are_those_of_3_17() {
    let api = Api::new();
    let body = json!({"secret_name": "s", "secret_value": {"api_key": "k"}, "auth_config_json": "{\"api_base\": \"https://x.example\"}"});
    let secret = api.made("secrets/create", body).await["secret"].clone();
    assert_eq!(secret["auth_config"], json!({"api_base": "https://x.example"}));
    assert_eq!(secret["auth_config_json"], "{\"api_base\": \"https://x.example\"}");
    let cleared = json!({"secret_id": secret["secret_id"], "auth_config_json": "{\"api_base\": \"\"}"});
    let secret = api.made("secrets/update", cleared).await["secret"].clone();
    assert!(secret.get("auth_config").is_none() && secret.get("auth_config_json").is_none(), "{secret}");
}

#[tokio::test]
async fn usage_is_tracked_unless_told_not_to_and_not_for_3_8() {
    let api = Api::new();
    let (a, _) = definitions(&api).await;
    let made = async |name: &str, rest: Value| {
        let mut body = json!({"name": name});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        api.made("endpoints/create", body).await["endpoint"].clone()
    };
    let configs = json!([{"model_definition_id": a, "linkage_type": "PRIMARY"}]);
    let endpoint = made("new", json!({"model_configs": configs})).await;
    assert_eq!((&endpoint["usage_tracking"], &endpoint["experiment_id"]), (&json!(true), &json!("1")));
    let endpoint = made("told", json!({"model_configs": configs, "usageTracking": false})).await;
    assert_eq!(endpoint["usage_tracking"], false, "camel case, as protobuf's JSON has it");
    let endpoint = made("old", json!({"model_definition_ids": [a]})).await;
    assert_eq!((&endpoint["usage_tracking"], endpoint.get("experiment_id")), (&json!(false), None));
    let endpoint = made("old-told", json!({"model_definition_ids": [a], "usage_tracking": true})).await;
    assert_eq!(endpoint["usage_tracking"], true);
}

#[tokio::test]
async fn enums_may_be_numbers_as_in_protobuf() {
    let api = Api::new();
    let (a, b) = definitions(&api).await;
    let body = json!({
        "name": "e",
        "model_configs": [
            {"model_definition_id": a, "linkage_type": 1},
            {"model_definition_id": b, "linkage_type": 2, "fallback_order": 1.0},
        ],
        "routing_strategy": 1,
        "fallback_config": {"strategy": 1, "max_attempts": 2.0},
    });
    let endpoint = api.made("endpoints/create", body).await["endpoint"].clone();
    assert_eq!(endpoint["routing_strategy"], "REQUEST_BASED_TRAFFIC_SPLIT");
    assert_eq!(endpoint["fallback_config"], json!({"strategy": "SEQUENTIAL", "max_attempts": 2}));
    assert_eq!(endpoint["model_mappings"][1]["linkage_type"], "FALLBACK");
    assert_eq!(endpoint["model_mappings"][1]["fallback_order"], 1);
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let api = Api::new();
    let (a, b) = definitions(&api).await;
    let body = json!({"name": "e", "model_definition_ids": [a], "created_by": "ann",
        "fallback_config": {"strategy": "SEQUENTIAL"}});
    let id = api.made("endpoints/create", body).await["endpoint"]["endpoint_id"].clone();
    let update = json!({"endpoint_id": id, "name": "", "model_configs": [], "routing_strategy": null});
    let endpoint = api.made("endpoints/update", update).await["endpoint"].clone();
    assert_eq!(endpoint["name"], "e");
    assert_eq!(endpoint["model_mappings"].as_array().unwrap().len(), 1);
    assert_eq!((&endpoint["created_by"], &endpoint["last_updated_by"]), (&json!("ann"), &json!("ann")));
    let update = json!({"endpoint_id": id, "model_definition_ids": [b], "updated_by": "bob"});
    let endpoint = api.made("endpoints/update", update).await["endpoint"].clone();
    assert_eq!(endpoint["model_mappings"][0]["model_definition_id"], b);
    assert_eq!(
        endpoint["fallback_config"],
        json!({"strategy": "SEQUENTIAL"}),
        "kept when it is not sent again"
    );
    assert_eq!(endpoint["last_updated_by"], "bob");
}

#[tokio::test]
async fn both_forms_of_attach() {
    let api = Api::new();
    let (a, b) = definitions(&api).await;
    let body = json!({"name": "e", "model_definition_ids": [a]});
    let id = api.made("endpoints/create", body).await["endpoint"]["endpoint_id"].clone();
    let flat = json!({"endpoint_id": id, "model_definition_id": b, "weight": 0.5});
    let mapping = api.made("endpoints/models/attach", flat).await["mapping"].clone();
    assert_eq!((&mapping["linkage_type"], &mapping["weight"]), (&json!("PRIMARY"), &json!(0.5)));
    let nested =
        json!({"endpoint_id": id, "model_config": {"model_definition_id": b, "linkage_type": "FALLBACK"}});
    let mapping = api.made("endpoints/models/attach", nested).await["mapping"].clone();
    assert_eq!((&mapping["linkage_type"], &mapping["weight"]), (&json!("FALLBACK"), &json!(1.0)));
    api.made("endpoints/models/detach", json!({"endpoint_id": id, "model_definition_id": b})).await;
    let endpoint = api.get(&gateway("endpoints/get?name=e")).await.json()["endpoint"].clone();
    assert_eq!(endpoint["model_mappings"].as_array().unwrap().len(), 1, "both parts are gone");
    api.made("endpoints/models/detach", json!({"endpoint_id": id, "model_definition_id": a})).await;
    let list = api.get(&gateway("endpoints/list")).await.json();
    assert_eq!(list["endpoints"][0]["name"], "e", "an endpoint without mappings is not lost");
}

#[tokio::test]
async fn tags_are_shown_and_go() {
    let api = Api::new();
    let (a, _) = definitions(&api).await;
    let id = api.made("endpoints/create", json!({"name": "e", "model_definition_ids": [a]})).await;
    let id = id["endpoint"]["endpoint_id"].clone();
    api.made("endpoints/set-tag", json!({"endpoint_id": id, "key": "team", "value": "ads"})).await;
    api.made("endpoints/set-tag", json!({"endpoint_id": id, "key": "flag"})).await;
    let tags = async || api.get(&gateway("endpoints/get?name=e")).await.json()["endpoint"]["tags"].clone();
    assert_eq!(tags().await, json!([{"key": "flag", "value": ""}, {"key": "team", "value": "ads"}]));
    for key in ["flag", "team"] {
        let answer =
            api.delete(&gateway("endpoints/delete-tag"), json!({"endpoint_id": id, "key": key})).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"));
    }
    assert_eq!(tags().await, Value::Null);
}

#[tokio::test]
async fn a_search_has_pages_newest_first() {
    let api = Api::new();
    for name in ["a", "b", "c"] {
        api.post("/api/2.0/mlflow/experiments/create", json!({"name": name})).await.json();
    }
    let page = async |body: Value| api.post("/api/2.0/mlflow/experiments/search", body).await.json();
    let names = |page: &Value| {
        let found = page["experiments"].as_array().cloned().unwrap_or_default();
        found.iter().map(|experiment| experiment["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = page(json!({"max_results": 2, "view_type": "ACTIVE_ONLY"})).await;
    assert_eq!(names(&first), ["c", "b"]);
    let second = page(json!({"max_results": 2, "page_token": first["next_page_token"]})).await;
    assert_eq!(names(&second), ["a"]);
    assert!(second.get("next_page_token").is_none());
    assert_eq!(page(json!({"view_type": "DELETED_ONLY"})).await, json!({}));
    assert_eq!(names(&page(json!({"filter": "", "order_by": []})).await).len(), 3);
}

#[tokio::test]
async fn who_asks_is_who_the_body_says_and_the_request_has_its_id() {
    let api = Api::new();
    let body = json!({"secret_name": "s", "secret_value": {"api_key": "k"}, "created_by": "ann"}).to_string();
    let id = names::RequestId::parse("request-7").unwrap();
    let request = super::json("POST", &gateway("secrets/create")).extension(id.clone());
    assert_eq!(api.send(request.body(body.into()).unwrap()).await.status, 200);
    let caller = api.store.last_caller.lock().unwrap().clone().unwrap();
    assert_eq!(caller.actor.unwrap().as_str(), "ann");
    assert_eq!(caller.request_id, id);
    // `updated_by` says nothing at a creation.
    let body = json!({"secret_name": "t", "secret_value": {"api_key": "k"}, "updated_by": "bob"});
    api.made("secrets/create", body).await;
    assert!(api.store.last_caller.lock().unwrap().clone().unwrap().actor.is_none());
}
