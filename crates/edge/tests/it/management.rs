//! The management API, over a store in memory: recorded conversations, refusals, and what holds for every route.

mod client_keys;
mod differences;
mod fake;
mod golden;
mod providers;
mod refusals;
mod requests;
mod routes;
mod secrecy;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use edge::management::Config;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use fake::Fake;

/// The management API over a store that tests look into.
struct Api {
    router: Router,
    store: Arc<Fake>,
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Api {
    fn new() -> Self {
        Self::over(Fake::default(), Config::default())
    }

    fn over(store: Fake, config: Config) -> Self {
        let store = Arc::new(store);
        Self { router: edge::management::router(Arc::clone(&store) as _, config), store }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.into()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: impl ToString) -> Answer {
        self.send(json("POST", path).body(Body::from(body.to_string())).unwrap()).await
    }

    async fn delete(&self, path: &str, body: impl ToString) -> Answer {
        self.send(json("DELETE", path).body(Body::from(body.to_string())).unwrap()).await
    }

    /// Posts under MLflow's prefix of gateway routes, and wants it to work.
    async fn made(&self, route: &str, body: Value) -> Value {
        let answer = self.post(&gateway(route), &body).await;
        assert_eq!(answer.status, 200, "{route} {body} {}", answer.text);
        answer.json()
    }
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Status, `error_code` and message, after a look at the two other members.
    fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
        assert!(!text("sqlstate").is_empty() && !text("error_class").is_empty(), "{body}");
        assert_eq!(self.headers["keyward-error-source"], "gateway");
        (self.status.as_u16(), text("error_code"), text("message"))
    }
}

fn json(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("content-type", "application/json")
}

fn gateway(route: &str) -> String {
    format!("/api/3.0/mlflow/gateway/{route}")
}
