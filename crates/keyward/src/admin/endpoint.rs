//! `keyward endpoint …`

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{
    AdminError, Connection,
    client::{Client, ENDPOINT, MODEL},
    probe,
    secret::set,
    table::{self, Columns},
};

const COLUMNS: Columns = &[
    ("NAME", |item| table::text(item, "name")),
    ("MODELS", models),
    ("ROUTING", |item| table::text(item, "routing_strategy")),
    ("ID", |item| table::text(item, "endpoint_id")),
];

/// Manage endpoints.
#[derive(Debug, Subcommand)]
pub(crate) enum EndpointCommand {
    /// Publish a name that applications can call
    Create(Create),
    /// Show all
    List(List),
    /// Show one
    Get(One),
    /// Change one
    Update(Update),
    /// Delete one; its callers get 404 at once
    Delete(One),
    /// Add a model definition to one, or a fallback
    Attach(Attach),
    /// Take a model definition from one
    Detach(Detach),
    /// Make one cheap call, print each phase, and say whose fault a failure is
    Test(Test),
}

/// `keyward endpoint create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name: letters, digits, underscores, hyphens and dots
    name: String,
    /// A model definition, by name or id, with its share where there are several (`NAME=0.7`); may be repeated
    #[arg(long, value_name = "MODEL[=WEIGHT]", required = true)]
    model: Vec<String>,
    /// A model definition to try when the ones before it failed; may be repeated, in order
    #[arg(long, value_name = "MODEL")]
    fallback: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward endpoint list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those with a model of this provider
    #[arg(long)]
    provider: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// One endpoint, by name or id.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its name or id
    endpoint: String,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward endpoint update`
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its name or id
    endpoint: String,
    /// New name: who calls the old one gets 404 at once
    #[arg(long)]
    name: Option<String>,
    /// Replaces all models, as in `create`
    #[arg(long, value_name = "MODEL[=WEIGHT]")]
    model: Vec<String>,
    /// Replaces all fallbacks together with `--model`
    #[arg(long, value_name = "MODEL", requires = "model")]
    fallback: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward endpoint attach`
#[derive(Debug, Args)]
pub(crate) struct Attach {
    /// Its name or id
    endpoint: String,
    /// The model definition, by name or id
    #[arg(long)]
    model: String,
    /// Its share among primaries
    #[arg(long, default_value_t = 1.0, conflicts_with = "fallback")]
    weight: f64,
    /// To be tried when the ones before it failed, instead of sharing the traffic
    #[arg(long)]
    fallback: bool,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward endpoint detach`
#[derive(Debug, Args)]
pub(crate) struct Detach {
    /// Its name or id
    endpoint: String,
    /// The model definition, by name or id
    #[arg(long)]
    model: String,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward endpoint test`
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Its name or id
    endpoint: String,
    /// Where applications call, if that is not where the management API is
    #[arg(long, value_name = "URL")]
    data_url: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl EndpointCommand {
    /// Does it.
    pub(crate) async fn run(self) -> Result<(), AdminError> {
        match self {
            Self::Create(arguments) => create(arguments).await,
            Self::List(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let filter = json!({ "provider": arguments.provider });
                let answer = client.gateway(Method::GET, "endpoints/list", &filter).await?;
                table::list(&arguments.connection, &ENDPOINT, COLUMNS, &answer);
                Ok(())
            }
            Self::Get(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let body = json!({ "endpoint_id": client.id_of(&ENDPOINT, &arguments.endpoint).await? });
                let answer = client.gateway(Method::GET, "endpoints/get", &body).await?;
                table::one(&arguments.connection, &ENDPOINT, COLUMNS, &answer);
                Ok(())
            }
            Self::Update(arguments) => update(arguments).await,
            Self::Delete(arguments) => {
                let client = Client::new(&arguments.connection)?;
                let body = json!({ "endpoint_id": client.id_of(&ENDPOINT, &arguments.endpoint).await? });
                let answer = client.gateway(Method::DELETE, "endpoints/delete", &body).await?;
                table::done(&arguments.connection, &answer, "deleted");
                Ok(())
            }
            Self::Attach(arguments) => attach(arguments).await,
            Self::Detach(arguments) => detach(arguments).await,
            Self::Test(Test { endpoint, data_url, connection }) => {
                let url = data_url.unwrap_or_else(|| connection.url.clone());
                let data = Client::new(&Connection { url, ..connection.clone() })?;
                probe::run(&connection, &data, &endpoint).await
            }
        }
    }
}

async fn create(arguments: Create) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let mut body = json!({
        "name": arguments.name,
        "model_configs": configs(&client, &arguments.model, &arguments.fallback).await?,
    });
    set(&mut body, "routing_strategy", split(&arguments.model));
    let answer = client.gateway(Method::POST, "endpoints/create", &body).await?;
    table::one(&arguments.connection, &ENDPOINT, COLUMNS, &answer);
    Ok(())
}

async fn update(arguments: Update) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let mut body = json!({ "endpoint_id": client.id_of(&ENDPOINT, &arguments.endpoint).await? });
    set(&mut body, "name", arguments.name.map(Value::from));
    if !arguments.model.is_empty() {
        let configs = configs(&client, &arguments.model, &arguments.fallback).await?;
        set(&mut body, "model_configs", Some(configs));
        set(&mut body, "routing_strategy", split(&arguments.model));
    }
    let answer = client.gateway(Method::POST, "endpoints/update", &body).await?;
    table::one(&arguments.connection, &ENDPOINT, COLUMNS, &answer);
    Ok(())
}

async fn attach(arguments: Attach) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let id = client.id_of(&ENDPOINT, &arguments.endpoint).await?;
    let mut config = json!({ "model_definition_id": client.id_of(&MODEL, &arguments.model).await? });
    let linkage = if arguments.fallback { "FALLBACK" } else { "PRIMARY" };
    set(&mut config, "linkage_type", Some(linkage.into()));
    set(&mut config, "weight", (!arguments.fallback).then(|| arguments.weight.into()));
    let body = json!({ "endpoint_id": id, "model_config": config });
    let answer = client.gateway(Method::POST, "endpoints/models/attach", &body).await?;
    table::done(&arguments.connection, &answer, "attached");
    Ok(())
}

async fn detach(arguments: Detach) -> Result<(), AdminError> {
    let client = Client::new(&arguments.connection)?;
    let id = client.id_of(&ENDPOINT, &arguments.endpoint).await?;
    let body =
        json!({ "endpoint_id": id, "model_definition_id": client.id_of(&MODEL, &arguments.model).await? });
    let answer = client.gateway(Method::POST, "endpoints/models/detach", &body).await?;
    table::done(&arguments.connection, &answer, "detached");
    Ok(())
}

/// Several primaries mean that the traffic is to be split: without a strategy the first one would take all of it.
fn split(models: &[String]) -> Option<Value> {
    (models.len() > 1).then(|| json!("REQUEST_BASED_TRAFFIC_SPLIT"))
}

async fn configs(client: &Client, models: &[String], fallbacks: &[String]) -> Result<Value, AdminError> {
    let mut configs = Vec::new();
    for model in models {
        let (name, weight) = match model.rsplit_once('=') {
            Some((name, weight)) => (name, weight.parse::<f64>().map_err(|_| weight_error())?),
            None => (model.as_str(), 1.0),
        };
        let id = client.id_of(&MODEL, name).await?;
        configs.push(json!({ "model_definition_id": id, "linkage_type": "PRIMARY", "weight": weight }));
    }
    for (order, name) in fallbacks.iter().enumerate() {
        let id = client.id_of(&MODEL, name).await?;
        configs
            .push(json!({ "model_definition_id": id, "linkage_type": "FALLBACK", "fallback_order": order }));
    }
    Ok(configs.into())
}

fn weight_error() -> AdminError {
    AdminError::Input("a weight is a number above 0, as in `--model NAME=0.7`".to_owned())
}

fn models(endpoint: &Value) -> String {
    let mappings = endpoint.get("model_mappings").and_then(Value::as_array);
    let lines: Vec<_> = mappings
        .into_iter()
        .flatten()
        .map(|mapping| {
            let definition = mapping.get("model_definition").cloned().unwrap_or_default();
            let (provider, model) =
                (table::text(&definition, "provider"), table::text(&definition, "model_name"));
            match mapping.get("linkage_type").and_then(Value::as_str) {
                Some("FALLBACK") => format!("{provider}/{model} (fallback)"),
                _ => format!("{provider}/{model} ×{}", table::text(mapping, "weight")),
            }
        })
        .collect();
    lines.join("\n")
}
