//! Bindings: which of MLflow's own resources use an endpoint.

use axum::extract::State;
use names::{EndpointId, Label, NameError};
use serde::Serialize;
use store::NewBinding;

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    endpoints,
    fields::{Choice, Fields, shown},
    request::{Asked, Shape},
    shapes::BindingShape,
};

/// The kinds of resource: MLflow's `GatewayResourceType`, and what 3.8 clients call the same.
const KINDS: [Choice<&str>; 2] = [("scorer", 1, "scorer"), ("scorer_job", 1, "scorer_job")];

/// A binding to be deleted.
pub(super) struct Which(NewBinding);

/// Which bindings; absent fields match all.
pub(super) struct Listed {
    endpoint: Option<EndpointId>,
    resource_type: Option<String>,
    resource_id: Option<String>,
}

/// One binding.
#[derive(Debug, Serialize)]
pub(super) struct One {
    binding: BindingShape,
}

/// Several bindings.
#[derive(Debug, Serialize)]
pub(super) struct Several {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<BindingShape>,
}

pub(super) async fn create(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<NewBinding>,
) -> Answered<One> {
    let written = admin.create_binding(&caller, request).await?;
    Ok(Answer::written(written, |binding| One { binding: binding.into() }))
}

pub(super) async fn delete(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Which(binding) }: Asked<Which>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.delete_binding(&caller, binding).await?))
}

pub(super) async fn list(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Listed { endpoint, resource_type, resource_id }, .. }: Asked<Listed>,
) -> Answered<Several> {
    let found = admin.bindings(endpoint.as_ref(), resource_type.as_deref(), resource_id.as_deref()).await?;
    Ok(Answer::read(Several { bindings: found.into_iter().map(Into::into).collect() }))
}

impl Shape for NewBinding {
    const ACTOR: Option<&'static str> = Some("created_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint_id = fields.required_id("endpoint_id", endpoints::ENTITY, EndpointId::parse);
        let resource_type = if fields.has("resource_type") {
            // MLflow answers 500 to a kind that it does not know (its bug 19).
            fields.choice("resource_type", &KINDS)
        } else {
            fields.missing("resource_type");
            None
        };
        let resource_id = fields.required("resource_id", resource);
        Some(Self {
            endpoint_id: endpoint_id?,
            resource_type: resource_type?.to_owned(),
            resource_id: resource_id?,
        })
    }
}

impl Shape for Which {
    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = fields.required_text("endpoint_id");
        let resource_type = fields.required("resource_type", resource);
        let resource_id = fields.required("resource_id", resource);
        let (endpoint, resource_type, resource_id) = (endpoint?, resource_type?, resource_id?);
        let Ok(endpoint_id) = EndpointId::parse(&endpoint) else {
            fields.not_found(format!(
                "GatewayEndpointBinding not found (endpoint_id='{}', resource_type='{}', resource_id='{}')",
                shown(&endpoint),
                shown(&resource_type),
                shown(&resource_id),
            ));
            return None;
        };
        Some(Self(NewBinding { endpoint_id, resource_type, resource_id }))
    }
}

impl Shape for Listed {
    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = fields.optional("endpoint_id", EndpointId::parse);
        let resource_type = fields.optional("resource_type", resource);
        let resource_id = fields.optional("resource_id", resource);
        Some(Self { endpoint, resource_type, resource_id })
    }
}

/// A resource is named freely, within what a name may be.
fn resource(text: &str) -> Result<String, NameError> {
    Label::parse(text).map(Into::into)
}
