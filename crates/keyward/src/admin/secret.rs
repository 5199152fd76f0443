//! `keyward secret …`

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::{
    AdminError, Connection,
    client::{Client, SECRET},
    table::{self, Columns},
};

/// Most bytes of a value that are read from a file or standard input, as the API's own limit.
const VALUE_MAX: u64 = 64 * 1024;

const COLUMNS: Columns = &[
    ("NAME", |item| table::text(item, "secret_name")),
    ("PROVIDER", |item| table::text(item, "provider")),
    ("VALUE", |item| table::entries(item, "masked_values")),
    ("SETTINGS", |item| table::entries(item, "auth_config")),
    ("ID", |item| table::text(item, "secret_id")),
];

/// Manage secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Store a provider's key; the value is read from a file or from standard input
    Create(Create),
    /// Show all
    List(List),
    /// Show one, masked
    Get(One),
    /// Replace the value or the settings
    Update(Update),
    /// Delete one; endpoints that need it stop answering
    Delete(One),
}

/// Where a value comes from.
#[derive(Debug, Args)]
pub(crate) struct ValueSource {
    /// File that holds the value; without it standard input is read
    #[arg(long, value_name = "FILE")]
    value_file: Option<PathBuf>,
    /// The field that the value fills
    #[arg(long, value_name = "NAME", default_value = "api_key")]
    field: String,
}

/// `keyward secret create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name
    name: String,
    /// Whose key it is, e.g. gemini
    #[arg(long)]
    provider: Option<String>,
    /// The provider's address, where it is not the usual one
    #[arg(long, value_name = "URL")]
    api_base: Option<String>,
    #[command(flatten)]
    value: ValueSource,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward secret list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this provider
    #[arg(long)]
    provider: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// One secret, by name or id.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its name or id
    secret: String,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward secret update`
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its name or id
    secret: String,
    /// The provider's address; changing it needs the key again
    #[arg(long, value_name = "URL")]
    api_base: Option<String>,
    #[command(flatten)]
    value: ValueSource,
    #[command(flatten)]
    connection: Connection,
}

impl SecretCommand {
    /// Does it.
    pub(crate) async fn run(self) -> Result<(), AdminError> {
        match self {
            Self::Create(arguments) => create(arguments).await,
            Self::List(arguments) => {
                let filter = json!({ "provider": arguments.provider });
                let answer =
                    Client::new(&arguments.connection)?.gateway(Method::GET, "secrets/list", &filter).await?;
                table::list(&arguments.connection, &SECRET, COLUMNS, &answer);
                Ok(())
            }
            Self::Get(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let id = client.id_of(&SECRET, &arguments.secret).await?;
                let answer = client.gateway(Method::GET, "secrets/get", &json!({ "secret_id": id })).await?;
                table::one(&arguments.connection, &SECRET, COLUMNS, &answer);
                Ok(())
            }
            Self::Update(arguments) => update(arguments).await,
            Self::Delete(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let id = client.id_of(&SECRET, &arguments.secret).await?;
                let endpoints = client.gateway(Method::GET, "endpoints/list", &json!({})).await?;
                let answer =
                    client.gateway(Method::DELETE, "secrets/delete", &json!({ "secret_id": id })).await?;
                table::done(&arguments.connection, &answer, &deleted(&users(&endpoints, &id)));
                Ok(())
            }
        }
    }
}

/// The endpoints of which a model needs this secret, by name.
fn users(endpoints: &Value, secret_id: &str) -> Vec<String> {
    let list = |item: &Value, key: &str| item.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let needs = |mapping: &Value| {
        mapping.pointer("/model_definition/secret_id").and_then(Value::as_str) == Some(secret_id)
    };
    let endpoints = list(endpoints, "endpoints").into_iter();
    let users = endpoints.filter(|endpoint| list(endpoint, "model_mappings").iter().any(needs));
    users.map(|endpoint| table::text(&endpoint, "name").escape_debug().to_string()).collect()
}

fn deleted(users: &[String]) -> String {
    if users.is_empty() {
        return "deleted".to_owned();
    }
    format!(
        "deleted; these endpoints lost the key of a model and need another one (`keyward model update --secret`): {}",
        users.join(", ")
    )
}

async fn create(arguments: Create) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let mut body = json!({
        "secret_name": arguments.name,
        "secret_value": { arguments.value.field.as_str(): arguments.value.read()?.expose_secret() },
    });
    set(&mut body, "provider", arguments.provider.map(Value::from));
    set(&mut body, "auth_config", arguments.api_base.map(|url| json!({ "api_base": url })));
    let answer = client.gateway(Method::POST, "secrets/create", &body).await?;
    table::one(&arguments.connection, &SECRET, COLUMNS, &answer);
    Ok(())
}

async fn update(arguments: Update) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let id = client.id_of(&SECRET, &arguments.secret).await?;
    let mut body = json!({
        "secret_id": id,
        "secret_value": { arguments.value.field.as_str(): arguments.value.read()?.expose_secret() },
    });
    set(&mut body, "auth_config", arguments.api_base.map(|url| json!({ "api_base": url })));
    let answer = client.gateway(Method::POST, "secrets/update", &body).await?;
    table::one(&arguments.connection, &SECRET, COLUMNS, &answer);
    Ok(())
}

impl ValueSource {
    /// The value, less one line break at its end, which editors and `echo` add.
    fn read(&self) -> Result<SecretString, AdminError> {
        let mut text = String::new();
        let read = if let Some(file) = &self.value_file {
            std::fs::File::open(file).and_then(|opened| opened.take(VALUE_MAX + 1).read_to_string(&mut text))
        } else {
            let stdin = std::io::stdin().lock();
            if stdin.is_terminal() {
                // Nobody sees that it waits otherwise.
                let hint = "paste the value, then Enter and Ctrl-D:";
                let _ = writeln!(std::io::stderr().lock(), "{hint}");
            }
            stdin.take(VALUE_MAX + 1).read_to_string(&mut text)
        };
        let text = SecretString::from(text);
        let length =
            read.map_err(|error| AdminError::Input(format!("cannot read the value: {}", error.kind())))?;
        if u64::try_from(length).is_ok_and(|length| length > VALUE_MAX) {
            return Err(AdminError::Input(format!("the value is longer than {VALUE_MAX} bytes")));
        }
        let value = text.expose_secret();
        let value = value.strip_suffix('\n').map_or(value, |value| value.strip_suffix('\r').unwrap_or(value));
        if value.is_empty() {
            return Err(AdminError::Input(
                "the value is empty; give it in `--value-file` or on standard input".to_owned(),
            ));
        }
        Ok(SecretString::from(value))
    }
}

/// Sets a field of an object where there is a value for it.
pub(super) fn set(body: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(fields), Some(value)) =
        (body.as_object_mut().map(|fields: &mut Map<String, Value>| fields), value)
    {
        fields.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_loses_a_key_is_named() {
        let mapping = |secret: Value| json!({ "model_definition": { "secret_id": secret } });
        let endpoints = json!({ "endpoints": [
            { "name": "a", "model_mappings": [mapping("s-1".into()), mapping("s-2".into())] },
            { "name": "b", "model_mappings": [mapping("s-1".into()), mapping(Value::Null)] },
            { "name": "c", "model_mappings": [mapping("s-2".into())] },
            { "name": "d" },
        ] });
        assert_eq!(users(&endpoints, "s-2"), ["a", "c"]);
        assert!(deleted(&users(&endpoints, "s-2")).ends_with(": a, c"));
        assert_eq!(deleted(&users(&endpoints, "s-3")), "deleted");
    }
}
