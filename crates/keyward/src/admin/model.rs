//! `keyward model …`: model definitions.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{
    AdminError, Connection,
    client::{Client, MODEL, SECRET},
    secret::set,
    table::{self, Columns},
};

const COLUMNS: Columns = &[
    ("NAME", |item| table::text(item, "name")),
    ("PROVIDER", |item| table::text(item, "provider")),
    ("MODEL", |item| table::text(item, "model_name")),
    ("SECRET", |item| table::text(item, "secret_name")),
    ("ID", |item| table::text(item, "model_definition_id")),
];

/// Manage model definitions.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Name a provider's model, and the secret to call it with
    Create(Create),
    /// Show all
    List(List),
    /// Show one
    Get(One),
    /// Change one
    Update(Update),
    /// Delete one that no endpoint uses
    Delete(One),
}

/// `keyward model create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name
    name: String,
    /// Whose model it is, e.g. gemini
    #[arg(long)]
    provider: String,
    /// The provider's own name of the model, e.g. gemini-2.5-flash
    #[arg(long)]
    model: String,
    /// The secret, by name or id
    #[arg(long)]
    secret: String,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward model list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this provider
    #[arg(long)]
    provider: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// One model definition, by name or id.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its name or id
    definition: String,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward model update`
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its name or id
    definition: String,
    /// New name
    #[arg(long)]
    name: Option<String>,
    /// The provider's own name of another model
    #[arg(long)]
    model: Option<String>,
    /// Another secret, by name or id
    #[arg(long)]
    secret: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl ModelCommand {
    /// Does it.
    pub(crate) async fn run(self) -> Result<(), AdminError> {
        match self {
            Self::Create(arguments) => create(arguments).await,
            Self::List(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let filter = json!({ "provider": arguments.provider });
                let answer = client.gateway(Method::GET, "model-definitions/list", &filter).await?;
                table::list(&arguments.connection, &MODEL, COLUMNS, &answer);
                Ok(())
            }
            Self::Get(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let body =
                    json!({ "model_definition_id": client.id_of(&MODEL, &arguments.definition).await? });
                let answer = client.gateway(Method::GET, "model-definitions/get", &body).await?;
                table::one(&arguments.connection, &MODEL, COLUMNS, &answer);
                Ok(())
            }
            Self::Update(arguments) => update(arguments).await,
            Self::Delete(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let body =
                    json!({ "model_definition_id": client.id_of(&MODEL, &arguments.definition).await? });
                let answer = client.gateway(Method::DELETE, "model-definitions/delete", &body).await?;
                table::done(&arguments.connection, &answer, "deleted");
                Ok(())
            }
        }
    }
}

async fn create(arguments: Create) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let body = json!({
        "name": arguments.name,
        "provider": arguments.provider,
        "model_name": arguments.model,
        "secret_id": client.id_of(&SECRET, &arguments.secret).await?,
    });
    let answer = client.gateway(Method::POST, "model-definitions/create", &body).await?;
    table::one(&arguments.connection, &MODEL, COLUMNS, &answer);
    Ok(())
}

async fn update(arguments: Update) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let mut body = json!({ "model_definition_id": client.id_of(&MODEL, &arguments.definition).await? });
    set(&mut body, "name", arguments.name.map(Value::from));
    set(&mut body, "model_name", arguments.model.map(Value::from));
    if let Some(secret) = arguments.secret {
        set(&mut body, "secret_id", Some(client.id_of(&SECRET, &secret).await?.into()));
    }
    let answer = client.gateway(Method::POST, "model-definitions/update", &body).await?;
    table::one(&arguments.connection, &MODEL, COLUMNS, &answer);
    Ok(())
}
