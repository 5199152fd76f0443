//! What holds for every route: paths, methods, headers, origins, workspaces, media types, sizes.

use axum::{
    body::Body,
    http::{Request, header},
};
use edge::management::Config;
use serde_json::json;
use store::{Role, StoreError, Watcher};

use super::{Api, Fake, gateway, json as json_request};

const SECRET: &str = r#"{"secret_name":"s","secret_value":{"api_key":"k"}}"#;

#[tokio::test]
async fn unknown_paths_are_json_on_every_method() {
    let api = Api::new();
    for path in [
        "/api",
        "/api/",
        "/api/x",
        "/ajax-api",
        "/ajax-api/2.0/mlflow/nope",
        "/api/3.0/mlflow/gateway",
        "/api/3.0/mlflow/gateway/",
        "/api/3.0/mlflow/gateway/secrets/",
        "/api/3.0/mlflow/gateway/budgets/nope",
    ] {
        for method in ["GET", "POST", "DELETE", "PATCH", "OPTIONS", "PUT"] {
            let answer = api.send(json_request(method, path).body(Body::empty()).unwrap()).await;
            let (status, code, _) = answer.error();
            assert_eq!((status, code.as_str()), (404, "RESOURCE_DOES_NOT_EXIST"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn wrong_methods_are_json_and_name_the_right_one() {
    let api = Api::new();
    for (method, path, allow) in [
        ("GET", gateway("secrets/create"), "POST"),
        ("POST", gateway("secrets/list"), "GET,HEAD"),
        ("POST", gateway("endpoints/delete"), "DELETE"),
        ("PUT", gateway("guardrails/update-config"), "PATCH"),
        ("POST", "/health".to_owned(), "GET,HEAD"),
        ("DELETE", "/api/2.0/mlflow/experiments/search".to_owned(), "POST"),
    ] {
        let answer = api.send(json_request(method, &path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.error().0, 405, "{method} {path}");
        assert_eq!(answer.headers[header::ALLOW], allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_of_mlflow() {
    let api = Api::new();
    let foreign = json_request("POST", &gateway("secrets/create")).header("origin", "https://evil.example");
    let answers = [
        api.get("/health").await,
        api.get("/version").await,
        api.get(&gateway("secrets/list")).await,
        api.get("/api/nope").await,
        api.post(&gateway("secrets/list"), "{}").await,
        api.post(&gateway("secrets/create"), "[]").await,
        api.send(foreign.body(Body::from(SECRET)).unwrap()).await,
    ];
    for answer in answers {
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{}", answer.text);
        assert_eq!(answer.headers["x-frame-options"], "SAMEORIGIN");
        assert_eq!(answer.headers["vary"], "Origin");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let api = Api::new();
    let status = async |origin: &str, method: &str, route: &str| {
        let request =
            json_request(method, &gateway(route)).header("host", "gw.example:5000").header("origin", origin);
        let answer = api.send(request.body(Body::from("{}")).unwrap()).await;
        if answer.status == 403 {
            assert_eq!(answer.text, "Cross-origin request blocked");
            assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
        }
        answer.status.as_u16()
    };
    for origin in [
        "https://evil.example",
        "null",
        "http://gw.example",
        "https://gw.example:5000.evil.example",
        "http://localhost:5000",
        "gw.example:5000",
        "https://admin.example",
        "",
    ] {
        for (method, route) in [
            ("POST", "secrets/create"),
            ("DELETE", "secrets/delete"),
            ("POST", "nope"),
            ("PATCH", "guardrails/update-config"),
        ] {
            assert_eq!(status(origin, method, route).await, 403, "{origin} {route}");
        }
        assert_eq!(status(origin, "GET", "secrets/list").await, 200, "{origin}: reading is what CORS is for");
    }
    for origin in ["http://gw.example:5000", "https://GW.example:5000"] {
        assert_eq!(
            status(origin, "POST", "secrets/create").await,
            400,
            "{origin}: let through to the fields"
        );
    }
    let twice = json_request("POST", &gateway("secrets/create"))
        .header("host", "a")
        .header("origin", "http://a")
        .header("origin", "http://a");
    assert_eq!(api.send(twice.body(Body::from(SECRET)).unwrap()).await.status, 403);
}

#[tokio::test]
async fn there_is_one_workspace() {
    let api = Api::new();
    let ask = async |path: &str, workspace: &str| {
        api.send(Request::get(path).header("x-mlflow-workspace", workspace).body(Body::empty()).unwrap())
            .await
    };
    assert_eq!(ask(&gateway("secrets/list"), "default").await.status, 200);
    for workspace in ["other", "", "Default", "default,other"] {
        assert_eq!(ask(&gateway("secrets/list"), workspace).await.error().0, 400, "{workspace}");
    }
    // A client that has a workspace configured asks first whether there are any.
    assert_eq!(ask("/api/3.0/mlflow/server-info", "other").await.json()["workspaces_enabled"], false);
}

#[tokio::test]
async fn bodies_are_json_and_plain() {
    let api = Api::new();
    let send = async |name: &'static str, value: &'static str| {
        let request = Request::post(gateway("secrets/create")).header(name, value).body(Body::from(SECRET));
        api.send(request.unwrap()).await
    };
    assert_eq!(send("content-type", "application/json; charset=utf-8").await.status, 200);
    assert_eq!(send("content-type", "Application/JSON").await.error().1, "RESOURCE_ALREADY_EXISTS");
    let missing = "Bad Request. Content-Type header is missing.";
    assert_eq!(send("accept", "*/*").await.error().2, missing);
    for other in ["text/plain", "application/jsonp", "", "application/x-www-form-urlencoded"] {
        let message = "Bad Request. Content-Type must be one of ['application/json'].";
        assert_eq!(send("content-type", other).await.error().2, message, "{other}");
    }
    let packed = json_request("POST", &gateway("secrets/create")).header("content-encoding", "gzip");
    assert_eq!(api.send(packed.body(Body::from(SECRET)).unwrap()).await.error().0, 415);
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let config = Config { body_bytes_max: SECRET.len(), ..Config::default() };
    let api = Api::over(Fake::default(), config);
    assert_eq!(api.post(&gateway("secrets/create"), SECRET).await.status, 200);
    let (status, code, message) = api.post(&gateway("secrets/create"), format!("{SECRET} ")).await.error();
    assert_eq!((status, code.as_str()), (413, "INVALID_PARAMETER_VALUE"));
    assert!(message.contains(&SECRET.len().to_string()), "{message}");
    assert_eq!(edge::management::BODY_BYTES_MAX, 1_048_576);
    let long = format!(r#"{{"secret_name":"{}"}}"#, "x".repeat(edge::management::BODY_BYTES_MAX));
    assert_eq!(Api::new().post(&gateway("secrets/create"), long).await.error().0, 413);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for_long() {
    let api = Api::new();
    let never = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let answer = api.send(json_request("POST", &gateway("secrets/create")).body(never).unwrap()).await;
    assert_eq!(answer.error().0, 408);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_mistake_of_the_client() {
    let broken = futures_util::stream::iter([Err::<bytes::Bytes, _>(std::io::Error::other("secret detail"))]);
    let request = json_request("POST", &gateway("secrets/create")).body(Body::from_stream(broken)).unwrap();
    let (status, _, message) = Api::new().send(request).await.error();
    assert_eq!(status, 400);
    assert!(!message.contains("detail"), "{message}");
}

#[tokio::test]
async fn writes_tell_their_revision_and_who_has_not_applied_it() {
    let lagging =
        ["edge-2", "forwarder-gemini-1"].map(|name| Watcher { role: Role::Edge, replica: name.to_owned() });
    let api = Api::over(Fake::lagging(lagging.into()), Config::default());
    let answer = api.post(&gateway("secrets/create"), SECRET).await;
    assert!(answer.headers["keyward-revision"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(answer.headers["keyward-not-applied"], "edge-2, forwarder-gemini-1");
    let answer = api.get(&gateway("secrets/list")).await;
    assert!(!answer.headers.contains_key("keyward-revision"), "nothing was written");
    let answer = Api::new().post(&gateway("secrets/create"), SECRET).await;
    assert!(!answer.headers.contains_key("keyward-not-applied"));
}

#[tokio::test]
async fn failures_of_the_store_have_the_statuses_that_its_client_understands() {
    for (error, status, code) in [
        (StoreError::Unavailable, 503, "TEMPORARILY_UNAVAILABLE"),
        (StoreError::OutcomeUnknown, 409, "ABORTED"),
        (StoreError::Internal, 500, "INTERNAL_ERROR"),
    ] {
        let api = Api::over(Fake::broken(error), Config::default());
        let answer = api.post(&gateway("secrets/create"), SECRET).await;
        let (told, told_code, _) = answer.error();
        assert_eq!((told, told_code.as_str()), (status, code));
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
    }
}

#[tokio::test]
async fn both_prefixes_lead_to_the_same() {
    let api = Api::new();
    api.made("secrets/create", json!({"secret_name": "s", "secret_value": {"api_key": "k"}})).await;
    for route in [
        "3.0/mlflow/gateway/secrets/list",
        "3.0/mlflow/gateway/supported-providers",
        "3.0/mlflow/server-info",
    ] {
        let (api_text, ajax_text) =
            (api.get(&format!("/api/{route}")).await.text, api.get(&format!("/ajax-api/{route}")).await.text);
        assert_eq!(api_text, ajax_text, "{route}");
        assert!(api_text.starts_with("{\n  \""), "two spaces: {api_text}");
    }
    api.post("/ajax-api/2.0/mlflow/experiments/create", r#"{"name":"x"}"#).await;
    assert_eq!(api.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=x").await.status, 200);
}
