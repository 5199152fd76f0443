//! A small client of the management REST API.

use std::{io::Write as _, time::Duration};

use http::Method;
use serde_json::{Value, json};

use super::{AdminError, Connection};

/// How long one call may take: a creation waits up to `apply_wait_max` for the watchers.
const CALL_MAX: Duration = Duration::from_secs(30);

/// Talks to one Keyward.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    /// A client for the address that the command names. Never a proxy of the environment's: secrets pass here.
    pub(crate) fn new(connection: &Connection) -> Result<Self, AdminError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(CALL_MAX)
            .build()
            .map_err(|_| AdminError::Input("cannot set up an HTTP client".to_owned()))?;
        Ok(Self { http, url: connection.url.trim_end_matches('/').to_owned() })
    }

    /// One call below `/api/3.0/mlflow/gateway/`; the answer's JSON object.
    pub(crate) async fn gateway(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, AdminError> {
        self.manage(method, &format!("mlflow/gateway/{path}"), body).await
    }

    /// One call below `/api/3.0/keyward/`; the answer's JSON object.
    pub(crate) async fn keyward(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, AdminError> {
        self.manage(method, &format!("keyward/{path}"), body).await
    }

    async fn manage(&self, method: Method, path: &str, body: &Value) -> Result<Value, AdminError> {
        let url = format!("{}/api/3.0/{path}", self.url);
        let request = if method == Method::GET {
            let url = url::Url::parse_with_params(&url, pairs(body));
            self.http.get(url.map_err(|_| self.failed("the address is not a URL"))?)
        } else {
            self.http.request(method, url).json(body)
        };
        let response = request.send().await.map_err(|error| self.not_reached(&error))?;
        let status = response.status().as_u16();
        let late = response.headers().get("keyward-not-applied").and_then(|value| value.to_str().ok());
        if let Some(late) = late {
            let late = late.escape_debug();
            let _ = writeln!(std::io::stderr().lock(), "keyward: done, but not applied yet by: {late}");
        }
        let answer: Value =
            response.json().await.map_err(|_| AdminError::NotKeyward { url: self.url.clone(), status })?;
        match answer.get("error_code").and_then(Value::as_str) {
            Some(code) => Err(AdminError::Refused {
                code: code.to_owned(),
                message: answer.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned(),
            }),
            None if status == 200 => Ok(answer),
            None => Err(AdminError::NotKeyward { url: self.url.clone(), status }),
        }
    }

    /// One call of the data plane.
    pub(crate) async fn call(&self, path: &str, body: &Value) -> Result<Answered, AdminError> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let response = request.send().await.map_err(|error| self.not_reached(&error))?;
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (source, request_id) = (header("keyward-error-source"), header("keyward-request-id"));
        let attempt = header("keyward-attempt").and_then(|attempt| attempt.parse().ok());
        let target = header("keyward-target");
        let status = response.status().as_u16();
        let text = response.text().await.map_err(|error| self.not_reached(&error))?;
        Ok(Answered { status, source, request_id, attempt, target, text })
    }

    /// The id of the one whose id or name is `wanted`, out of a list of the API.
    pub(crate) async fn id_of(&self, kind: &Kind, wanted: &str) -> Result<String, AdminError> {
        let answer = self.gateway(Method::GET, &format!("{}/list", kind.path), &json!({})).await?;
        let items = answer.get(kind.list).and_then(Value::as_array).cloned().unwrap_or_default();
        let text =
            |item: &Value, key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        items
            .iter()
            .find(|item| text(item, kind.id) == wanted || text(item, kind.name) == wanted)
            .map(|item| text(item, kind.id))
            .ok_or_else(|| {
                AdminError::Input(format!("there is no {} `{}`", kind.word, wanted.escape_default()))
            })
    }

    fn not_reached(&self, error: &reqwest::Error) -> AdminError {
        self.failed(match () {
            () if error.is_timeout() => "no answer in time",
            () if error.is_connect() => "no connection",
            () if error.is_builder() => "the address is not a URL",
            () => "the connection broke",
        })
    }

    fn failed(&self, why: &'static str) -> AdminError {
        AdminError::NotReached { url: self.url.clone(), why }
    }
}

/// What a call of the data plane was answered.
pub(crate) struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Whose error it is: `gateway` or `provider`.
    pub source: Option<String>,
    /// What the call is known by in the log.
    pub request_id: Option<String>,
    /// Which attempt answered, from 1; none where no provider did.
    pub attempt: Option<u32>,
    /// The mapping of the target that answered.
    pub target: Option<String>,
    /// The body.
    pub text: String,
}

/// How the API calls one kind of entity.
pub(crate) struct Kind {
    /// The word in messages.
    pub word: &'static str,
    /// Path segment.
    pub path: &'static str,
    /// Field that holds a list.
    pub list: &'static str,
    /// Field that holds one.
    pub one: &'static str,
    /// Field of the id.
    pub id: &'static str,
    /// Field of the name.
    pub name: &'static str,
}

/// Secrets.
pub(crate) const SECRET: Kind = Kind {
    word: "secret",
    path: "secrets",
    list: "secrets",
    one: "secret",
    id: "secret_id",
    name: "secret_name",
};
/// Model definitions.
pub(crate) const MODEL: Kind = Kind {
    word: "model definition",
    path: "model-definitions",
    list: "model_definitions",
    one: "model_definition",
    id: "model_definition_id",
    name: "name",
};
/// Endpoints.
pub(crate) const ENDPOINT: Kind = Kind {
    word: "endpoint",
    path: "endpoints",
    list: "endpoints",
    one: "endpoint",
    id: "endpoint_id",
    name: "name",
};

/// A flat object's fields as query parameters.
fn pairs(body: &Value) -> Vec<(String, String)> {
    let fields = body.as_object().into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
