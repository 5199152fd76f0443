//! `keyward endpoint test`: one cheap call, phase by phase, and whose fault a failure is.

use http::Method;
use serde_json::{Value, json};

use super::{
    AdminError, Connection,
    client::{Answered, Client, ENDPOINT},
    table,
};

/// Finds the endpoint, checks that it can be called, calls it once for one token, where `data` says.
pub(crate) async fn run(connection: &Connection, data: &Client, wanted: &str) -> Result<(), AdminError> {
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

    let answered = data.call(&path, &body).await?;
    let verdict = verdict(&answered);
    if connection.json {
        table::line(&as_json(&name, &answered, verdict.as_ref()).to_string());
    }
    let Some(Verdict { fault, hint }) = verdict else {
        phase(connection, "answer", "200, the endpoint works");
        return Ok(());
    };
    phase(connection, "answer", &format!("{}: {}", answered.status, message(&answered.text)));
    phase(connection, "fault", fault.said());
    phase(connection, "to do", hint);
    if let Some(id) = &answered.request_id {
        phase(connection, "log", &format!("Keyward's log has more under request id {id}"));
    }
    let said = format!("`{name}` does not work; the fault is {}", fault.said());
    Err(match fault {
        Fault::Provider | Fault::Key | Fault::Network => AdminError::Provider(said),
        Fault::Keyward | Fault::Call => {
            AdminError::Refused { code: answered.status.to_string(), message: said }
        }
    })
}

/// Whose fault a failure is, and what to do about it.
struct Verdict {
    fault: Fault,
    hint: &'static str,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Provider,
    Key,
    Network,
    Keyward,
    Call,
}

impl Fault {
    fn said(self) -> &'static str {
        match self {
            Self::Provider => "the provider's",
            Self::Key => "the stored key's: the provider refuses it",
            Self::Network => "between Keyward and the provider",
            Self::Keyward => "Keyward's, or its configuration's",
            Self::Call => "the model's: the provider does not take this call for it",
        }
    }
}

/// None where the call went well.
fn verdict(answered: &Answered) -> Option<Verdict> {
    let by_provider = answered.source.as_deref() == Some("provider");
    let (fault, hint) = match (answered.status, by_provider) {
        (200..=299, _) => return None,
        (401 | 403, true) => (Fault::Key, "replace the key: `keyward secret update`"),
        (400, true) => (
            Fault::Key,
            "read the provider's message: a wrong key is a 400 for some, else it is the model's name",
        ),
        (404, true) => (Fault::Call, "correct the model's name: `keyward model update --model`"),
        (429, true) => (Fault::Provider, "its quota for this key is used up: wait, or raise it there"),
        (500..=599, true) => (Fault::Provider, "wait, or give the endpoint a fallback"),
        (_, true) => (Fault::Call, "read the provider's message"),
        (502 | 504, false) => {
            (Fault::Network, "is the provider's address right, is there a way out? `keyward doctor` looks")
        }
        (503, false) => (Fault::Keyward, "wait a moment and try again; then look at Keyward's log"),
        _ => (Fault::Keyward, "read the message; then look at Keyward's log"),
    };
    Some(Verdict { fault, hint })
}

fn as_json(name: &str, answered: &Answered, verdict: Option<&Verdict>) -> Value {
    json!({
        "endpoint": name,
        "ok": verdict.is_none(),
        "status": answered.status,
        "source": answered.source,
        "fault": verdict.map(|verdict| verdict.fault.said()),
        "message": verdict.map(|_| message(&answered.text)),
        "request_id": answered.request_id,
    })
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
        return Err(AdminError::Input(
            "the model's secret was deleted: give its definition another one".to_owned(),
        ));
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
        other => Err(AdminError::Input(format!(
            "there is no test call for provider `{}` yet",
            other.escape_default()
        ))),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, source: Option<&str>) -> Option<Fault> {
        let source = source.map(str::to_owned);
        let answered = Answered { status, source, request_id: None, text: String::new() };
        verdict(&answered).map(|verdict| verdict.fault)
    }

    #[test]
    fn a_failure_has_an_owner() {
        assert_eq!(of(200, None), None);
        assert_eq!(of(401, Some("provider")), Some(Fault::Key));
        assert_eq!(of(404, Some("provider")), Some(Fault::Call));
        assert_eq!(of(404, Some("gateway")), Some(Fault::Keyward));
        assert_eq!(of(503, Some("provider")), Some(Fault::Provider));
        assert_eq!(of(504, Some("gateway")), Some(Fault::Network));
    }

    #[test]
    fn the_message_of_an_error_is_found_and_harmless() {
        assert_eq!(message(r#"{"error":{"message":"no\u001b[31m"}}"#), "no\\u{1b}[31m");
        assert_eq!(message("<html>"), "no message");
    }
}
