//! A small client of the management API, for what a test needs before its own subject.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// Talks to the management API of one Keyward.
#[derive(Debug, Clone)]
pub struct Admin {
    http: reqwest::Client,
    url: String,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Admin {
    /// A client of the Keyward at `url`.
    pub fn new(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(crate::PATIENCE).build()?;
        Ok(Self { http, url: url.to_owned() })
    }

    /// `GET` of a path below the management API.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.http.get(self.path(path))).await
    }

    /// `POST` of a path below the management API.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.http.post(self.path(path)).json(body)).await
    }

    fn path(&self, path: &str) -> String {
        format!("{}/api/3.0/mlflow/gateway/{path}", self.url)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let response = request.send().await.context("the management API")?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await.context("the management API")? })
    }

    async fn create(&self, path: &str, body: &Value, id: &str) -> Result<String> {
        let answer = self.post(path, body).await?;
        let json = answer.json();
        match json.pointer(id).and_then(Value::as_str) {
            Some(id) if answer.status == 200 => Ok(id.to_owned()),
            _ => bail!("{path}: {} {}", answer.status, answer.text),
        }
    }

    /// Stores a key for Gemini that may be sent to `api_base`; its id.
    pub async fn secret(&self, name: &str, key: &str, api_base: &str) -> Result<String> {
        let body = json!({
            "secret_name": name, "secret_value": { "api_key": key }, "provider": "gemini",
            "auth_config": { "api_base": api_base },
        });
        self.create("secrets/create", &body, "/secret/secret_id").await
    }

    /// Defines a model; its id.
    pub async fn model(&self, name: &str, secret_id: &str, model: &str) -> Result<String> {
        let body = json!({ "name": name, "secret_id": secret_id, "provider": "gemini", "model_name": model });
        self.create("model-definitions/create", &body, "/model_definition/model_definition_id").await
    }

    /// Publishes an endpoint over one model definition; its id.
    pub async fn endpoint(&self, name: &str, definition_id: &str) -> Result<String> {
        let config =
            json!({ "model_definition_id": definition_id, "linkage_type": "PRIMARY", "weight": 1.0 });
        let body = json!({ "name": name, "model_configs": [config] });
        self.create("endpoints/create", &body, "/endpoint/endpoint_id").await
    }
}
