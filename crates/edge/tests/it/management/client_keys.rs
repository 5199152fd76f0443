//! Keyward's own routes for client keys: shown once, masked afterwards, strict about scopes.

use serde_json::{Value, json};

use super::Api;

const ROUTE: &str = "/api/3.0/keyward/client-keys";

impl Api {
    async fn key(&self, method: &str, route: &str, body: Value) -> super::Answer {
        let request = super::json(method, &format!("{ROUTE}/{route}"));
        self.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await
    }
}

#[tokio::test]
async fn a_key_is_in_the_answer_that_makes_it_and_nowhere_else() {
    let api = Api::new();
    let made =
        api.key("POST", "create", json!({"owner": "search", "note": "tests", "created_by": "ada"})).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(made.headers.contains_key("keyward-revision"));
    let made = made.json();
    let (text, id) = (made["key"].as_str().unwrap(), made["client_key"]["key_id"].as_str().unwrap());
    assert!(text.starts_with(&format!("kw_{id}_")), "{text}");
    let shown = &made["client_key"];
    assert_eq!(shown["masked_key"], format!("kw_{id}_…"));
    assert_eq!((&shown["owner"], &shown["created_by"]), (&json!("search"), &json!("ada")));
    assert_eq!((&shown["all_endpoints"], &shown["endpoints"]), (&json!(true), &Value::Null));
    let got = api.get(&format!("{ROUTE}/get?key_id={id}")).await;
    let listed = api.get(&format!("{ROUTE}/list?owner=search")).await;
    assert_eq!(got.json()["client_key"], *shown);
    assert_eq!(listed.json()["client_keys"], json!([shown]));
    assert_eq!(api.get(&format!("{ROUTE}/list?owner=other")).await.json(), json!({}));
    for answer in [got, listed] {
        assert!(!answer.text.contains(&text[12..55]), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_key_is_changed_rotated_revoked_and_deleted() {
    let api = Api::new();
    let scope =
        json!({"owner": "a", "endpoints": ["chat"], "endpoint_tags": [{"key": "team", "value": "red"}]});
    let made = api.key("POST", "create", scope).await.json()["client_key"].clone();
    assert_eq!((&made["all_endpoints"], &made["endpoints"]), (&json!(false), &json!(["chat"])));
    assert_eq!(made["endpoint_tags"], json!([{"key": "team", "value": "red"}]));
    let id = made["key_id"].clone();
    let changed =
        api.key("POST", "update", json!({"key_id": id, "all_endpoints": true, "expires_at": 7})).await;
    let changed = changed.json()["client_key"].clone();
    assert_eq!((&changed["all_endpoints"], &changed["expires_at"]), (&json!(true), &json!(7)));
    let changed =
        api.key("POST", "update", json!({"key_id": id, "never_expires": true, "endpoints": []})).await;
    let changed = changed.json()["client_key"].clone();
    assert_eq!((&changed["all_endpoints"], &changed["expires_at"]), (&json!(false), &Value::Null));
    let rotated = api.key("POST", "rotate", json!({"key_id": id, "overlap_ms": 5})).await.json();
    assert_ne!(rotated["client_key"]["key_id"], id);
    assert!(rotated["key"].as_str().unwrap().starts_with("kw_"));
    let revoked = api.key("POST", "revoke", json!({"key_id": id})).await.json();
    assert!(revoked["client_key"]["revoked_at"].is_i64());
    assert_eq!(api.key("DELETE", "delete", json!({"key_id": id})).await.status, 200);
    assert_eq!(api.key("POST", "revoke", json!({"key_id": id})).await.status, 404);
}

#[tokio::test]
async fn what_is_no_scope_is_refused_and_never_read_as_everything() {
    let api = Api::new();
    for wrong in [
        json!({}),
        json!({"owner": ""}),
        json!({"owner": "a", "endpoints": "chat"}),
        json!({"owner": "a", "endpoints": ["a/b"]}),
        json!({"owner": "a", "endpoints": [7]}),
        json!({"owner": "a", "endpoint_tags": [{"value": "red"}]}),
        json!({"owner": "a", "endpoint_tags": {"team": "red"}}),
        json!({"owner": "a", "all_endpoints": true, "endpoints": ["chat"]}),
        json!({"owner": "a", "all_endpoints": "yes"}),
        json!({"owner": "a", "expires_at": "tomorrow"}),
        json!({"owner": "a", "endpoints": vec!["x"; 300], "endpoint_tags": [{"key": "k".repeat(251), "value": ""}]}),
    ] {
        let refused = api.key("POST", "create", wrong.clone()).await;
        assert_eq!(refused.status, 400, "{wrong} {}", refused.text);
    }
    assert_eq!(api.get(&format!("{ROUTE}/list")).await.json(), json!({}), "none was made");
    for id in ["short", "waytoolongid", "ab/12cd4"] {
        let refused = api.key("POST", "revoke", json!({"key_id": id})).await;
        assert_eq!(refused.status, 404, "{id} {}", refused.text);
    }
}

#[tokio::test]
async fn the_audit_log_is_listed_and_verified() {
    let api = Api::new();
    let listed = api.get("/api/3.0/keyward/audit/list?since=1&limit=7").await.json();
    let rows: Vec<_> = listed["entries"].as_array().unwrap().iter().map(|row| &row["seq"]).collect();
    assert_eq!(rows, [2, 3]);
    assert_eq!(listed["entries"][0]["revision"], 7);
    assert_eq!(api.get("/api/3.0/keyward/audit/list?since=-1").await.status, 400);
    let verdict = api.get("/api/3.0/keyward/audit/verify").await.json();
    assert_eq!(
        verdict,
        json!({"sound": false, "seq": 3, "mac": "00", "first_bad": {"seq": 4, "why": "changed"}})
    );
}
