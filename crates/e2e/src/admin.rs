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
        self.secret_for("gemini", name, key, api_base).await
    }

    /// The same for any provider.
    pub async fn secret_for(&self, provider: &str, name: &str, key: &str, api_base: &str) -> Result<String> {
        let body = json!({
            "secret_name": name, "secret_value": { "api_key": key }, "provider": provider,
            "auth_config": { "api_base": api_base },
        });
        self.create("secrets/create", &body, "/secret/secret_id").await
    }

    /// Defines a model of Gemini's; its id.
    pub async fn model(&self, name: &str, secret_id: &str, model: &str) -> Result<String> {
        self.model_for("gemini", name, secret_id, model).await
    }

    /// The same for any provider.
    pub async fn model_for(
        &self,
        provider: &str,
        name: &str,
        secret_id: &str,
        model: &str,
    ) -> Result<String> {
        let body = json!({ "name": name, "secret_id": secret_id, "provider": provider, "model_name": model });
        self.create("model-definitions/create", &body, "/model_definition/model_definition_id").await
    }

    /// Publishes an endpoint over one model definition; its id.
    pub async fn endpoint(&self, name: &str, definition_id: &str) -> Result<String> {
        self.endpoint_with_spares(name, definition_id, &[]).await
    }

    /// The same with fallbacks, which are tried in this order; its id.
    pub async fn endpoint_with_spares(&self, name: &str, primary: &str, spares: &[&str]) -> Result<String> {
        let primary = json!({ "model_definition_id": primary, "linkage_type": "PRIMARY", "weight": 1.0 });
        let spares = spares.iter().zip(1..).map(|(id, order)| {
            json!({ "model_definition_id": id, "linkage_type": "FALLBACK", "weight": 1.0, "fallback_order": order })
        });
        let configs: Vec<Value> = std::iter::once(primary).chain(spares).collect();
        let mut body = json!({ "name": name, "model_configs": configs });
        if configs.len() > 1 {
            body["fallback_config"] = json!({ "strategy": "SEQUENTIAL", "max_attempts": configs.len() - 1 });
        }
        self.create("endpoints/create", &body, "/endpoint/endpoint_id").await
    }
}
