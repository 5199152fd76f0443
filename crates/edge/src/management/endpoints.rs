//! Endpoints: the names that applications call.

use axum::extract::State;
use names::{EndpointId, EndpointName, NameError, Provider, SecretId};
use serde::Serialize;
use store::{Endpoint, EndpointChange, EndpointRef, FallbackConfig, NewEndpoint, RoutingStrategy};

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    fields::{Choice, Fields, shown},
    mappings,
    request::{Asked, Shape},
    shapes::EndpointShape,
};

/// What MLflow calls one in messages.
pub(super) const ENTITY: &str = "GatewayEndpoint";

/// MLflow's `RoutingStrategy`.
const ROUTING: [Choice<RoutingStrategy>; 1] =
    [("REQUEST_BASED_TRAFFIC_SPLIT", 1, RoutingStrategy::RequestBasedTrafficSplit)];
/// MLflow's `FallbackStrategy`.
const FALLBACK: [Choice<()>; 1] = [("SEQUENTIAL", 1, ())];

/// Which endpoint, by its id.
pub(super) struct Which(EndpointId);

/// Which endpoints.
pub(super) struct Listed {
    provider: Option<Provider>,
    secret_id: Option<SecretId>,
}

/// One endpoint.
#[derive(Debug, Serialize)]
pub(super) struct One {
    endpoint: EndpointShape,
}

/// Several endpoints.
#[derive(Debug, Serialize)]
pub(super) struct Several {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<EndpointShape>,
}

pub(super) async fn create(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<NewEndpoint>,
) -> Answered<One> {
    let written = admin.create_endpoint(&caller, request).await?;
    Ok(Answer::written(written, |endpoint| One { endpoint: endpoint.into() }))
}

pub(super) async fn get(
    State(Management { admin, .. }): State<Management>,
    Asked { request, .. }: Asked<EndpointRef>,
) -> Answered<One> {
    let endpoint = admin.endpoint(&request).await?.into();
    Ok(Answer::read(One { endpoint }))
}

pub(super) async fn list(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Listed { provider, secret_id }, .. }: Asked<Listed>,
) -> Answered<Several> {
    let endpoints = admin.endpoints(provider.as_ref()).await?;
    // MLflow's client sends `secret_id` and its server ignores it; an empty filter is worse than none.
    let asked_for = |endpoint: &Endpoint| secret_id.as_ref().is_none_or(|id| uses(endpoint, id));
    let endpoints = endpoints.into_iter().filter(asked_for).map(Into::into).collect();
    Ok(Answer::read(Several { endpoints }))
}

pub(super) async fn update(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<EndpointChange>,
) -> Answered<One> {
    let written = admin.update_endpoint(&caller, request).await?;
    Ok(Answer::written(written, |endpoint| One { endpoint: endpoint.into() }))
}

pub(super) async fn delete(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Which(id) }: Asked<Which>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.delete_endpoint(&caller, &id).await?))
}

fn uses(endpoint: &Endpoint, secret: &SecretId) -> bool {
    let secrets = endpoint.mappings.iter().filter_map(|mapping| mapping.definition.secret.as_ref());
    secrets.into_iter().any(|(id, _)| id == secret)
}

impl Shape for NewEndpoint {
    const ACTOR: Option<&'static str> = Some("created_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required_text("name");
        let name = name.and_then(|name| endpoint_name(fields, &name));
        // MLflow 3.17 tracks usage unless told not to. A 3.8 client cannot say and its server had no such thing: no
        // experiment appears that nobody asked for; an update may switch it on.
        let tracked_unless_told = !mappings::is_3_8(fields);
        let models = mappings::required_configs(fields);
        let routing_strategy = fields.choice("routing_strategy", &ROUTING);
        let fallback_config = fallback_config(fields);
        let experiment_id = experiment_id(fields);
        let usage_tracking = fields.flag("usage_tracking").unwrap_or(tracked_unless_told);
        Some(Self {
            name: name?,
            models: models?,
            routing_strategy,
            fallback_config,
            experiment_id,
            usage_tracking,
        })
    }
}

impl Shape for EndpointChange {
    const ACTOR: Option<&'static str> = Some("updated_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required_id("endpoint_id", ENTITY, EndpointId::parse);
        let name = fields.text("name").filter(|name| !name.is_empty());
        let name = name.and_then(|name| endpoint_name(fields, &name));
        let models = mappings::configs(fields).filter(|models| !models.is_empty());
        let routing_strategy = fields.choice("routing_strategy", &ROUTING);
        let fallback_config = fallback_config(fields);
        let experiment_id = experiment_id(fields);
        let usage_tracking = fields.flag("usage_tracking");
        Some(Self { id: id?, name, models, routing_strategy, fallback_config, experiment_id, usage_tracking })
    }
}

impl Shape for EndpointRef {
    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.text("endpoint_id").filter(|id| !id.is_empty());
        let name = fields.text("name").filter(|name| !name.is_empty());
        match (id, name) {
            (Some(id), None) => match EndpointId::parse(&id) {
                Ok(id) => return Some(Self::Id(id)),
                Err(_) => fields.not_found(format!("{ENTITY} not found (endpoint_id='{}')", shown(&id))),
            },
            (None, Some(name)) => match EndpointName::parse(&name) {
                Ok(name) => return Some(Self::Name(name)),
                Err(_) => fields.not_found(format!("{ENTITY} not found (name='{}')", shown(&name))),
            },
            _ => fields.refuse("Exactly one of endpoint_id or name must be provided".to_owned()),
        }
        None
    }
}

impl Shape for Which {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required_id("endpoint_id", ENTITY, EndpointId::parse).map(Self)
    }
}

impl Shape for Listed {
    fn read(fields: &mut Fields) -> Option<Self> {
        let provider = fields.optional("provider", Provider::parse);
        let secret_id = fields.optional("secret_id", SecretId::parse);
        Some(Self { provider, secret_id })
    }
}

/// MLflow's words for characters that it does not take either; ours for what it takes and should not.
fn endpoint_name(fields: &mut Fields, name: &str) -> Option<EndpointName> {
    match EndpointName::parse(name) {
        Ok(name) => return Some(name),
        Err(error @ NameError::TooLong { .. }) => fields.invalid("name", &error.to_string()),
        Err(_) => fields.refuse(format!(
            "Invalid endpoint name '{}'. Name can only contain letters, numbers, underscores, hyphens, and dots.",
            shown(name)
        )),
    }
    None
}

fn fallback_config(fields: &mut Fields) -> Option<FallbackConfig> {
    fields.object("fallback_config", |fields| {
        let sequential = fields.choice("strategy", &FALLBACK).is_some();
        let given = fields.integer("max_attempts");
        let max_attempts = given.and_then(|attempts| u32::try_from(attempts).ok()).filter(|max| *max > 0);
        if given.is_some() && max_attempts.is_none() {
            fields.invalid("max_attempts", "must be at least 1");
        }
        Some(FallbackConfig { sequential, max_attempts })
    })
}

/// An experiment's number, which is a text on the wire.
pub(super) fn experiment_id(fields: &mut Fields) -> Option<u64> {
    let text = fields.text("experiment_id").filter(|text| !text.is_empty())?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|_| plain);
    if id.is_none() {
        fields.refuse(format!(
            "Invalid experiment ID '{}'. Experiment ID must be a valid integer.",
            shown(&text)
        ));
    }
    id
}
