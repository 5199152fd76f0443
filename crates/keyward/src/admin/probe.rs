//! `keyward endpoint test`: one cheap call, phase by phase, and whose fault a failure is.

use http::Method;
use serde_json::{Value, json};

use super::{
    AdminError, Connection,
    client::{Client, ENDPOINT},
    table,
};

/// Finds the endpoint, checks that it can be called, calls it once for one token.
pub(crate) async fn run(connection: &Connection, wanted: &str) -> Result<(), AdminError> {
    let client = Client::new(connection)?;
    let id = client.id_of(&ENDPOINT, wanted).await?;
    let answer = client.gateway(Method::GET, "endpoints/get", &json!({ "endpoint_id": id })).await?;
    let endpoint = answer.get("endpoint").cloned().unwrap_or_default();
    let name = table::text(&endpoint, "name");
    phase(connection, "endpoint", &format!("`{name}` is published"));

    let provider = provider_of(&endpoint)?;
    phase(connection, "target", &provider.1);
    let (path, body) = cheap_call(&provider.0, &name)?;
    phase(connection, "call", &path);

    let (status, source, text) = client.call(&path, &body).await?;
    match (status, source.as_deref()) {
        (200, _) => {
            phase(connection, "answer", "200, the endpoint works");
            if connection.json {
                table::line(&json!({ "endpoint": name, "ok": true, "status": status }).to_string());
            }
            Ok(())
        }
        (status, Some("provider")) => Err(AdminError::Provider(format!(
            "the provider refused with {status}: {}; this is between the secret and the provider",
            message(&text)
        ))),
        (status, _) => Err(AdminError::Refused {
            code: status.to_string(),
            message: format!("Keyward could not complete the call: {}", message(&text)),
        }),
    }
}

/// Provider of the first primary that has a secret, and a line about it.
fn provider_of(endpoint: &Value) -> Result<(String, String), AdminError> {
    let mappings = endpoint.get("model_mappings").and_then(Value::as_array).cloned().unwrap_or_default();
    let primary = mappings.iter().find(|mapping| table::text(mapping, "linkage_type") != "FALLBACK");
    let definition = primary.and_then(|mapping| mapping.get("model_definition"));
    let Some(definition) = definition else {
        return Err(AdminError::Input("the endpoint has no primary model: attach one".to_owned()));
    };
    let secret = table::text(definition, "secret_name");
    if secret.is_empty() {
        return Err(AdminError::Input("the model's secret was deleted: give its definition another one".to_owned()));
    }
    let provider = table::text(definition, "provider");
    let model = table::text(definition, "model_name");
    let line = format!("{provider}/{model} with secret `{secret}`");
    Ok((provider, line))
}

/// The cheapest call that a provider's dialect has.
fn cheap_call(provider: &str, endpoint: &str) -> Result<(String, Value), AdminError> {
    match provider {
        "gemini" => Ok((
            format!("/gateway/gemini/v1beta/models/{endpoint}:generateContent"),
            json!({
                "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }],
                "generationConfig": { "maxOutputTokens": 1 },
            }),
        )),
        other => Err(AdminError::Input(format!("there is no test call for provider `{}` yet", other.escape_default()))),
    }
}

/// `error.message` of an error body in Gemini's shape.
fn message(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let message = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no message");
    message.escape_debug().to_string()
}

fn phase(connection: &Connection, name: &str, said: &str) {
    if !connection.json {
        table::line(&format!("{name:>9}  {said}"));
    }
}
