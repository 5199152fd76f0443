//! Model definitions: provider, model and secret under a name.

use axum::extract::State;
use names::{Label, ModelDefinitionId, ModelName, Provider, SecretId};
use serde::Serialize;
use store::{DefinitionChange, ListDefinitions, NewDefinition};

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    fields::Fields,
    request::{Asked, Shape},
    secrets,
    shapes::DefinitionShape,
};

/// What MLflow calls one in messages.
pub(super) const ENTITY: &str = "GatewayModelDefinition";

/// Which model definition.
pub(super) struct Which(ModelDefinitionId);

/// One model definition.
#[derive(Debug, Serialize)]
pub(super) struct One {
    model_definition: DefinitionShape,
}

/// Several model definitions.
#[derive(Debug, Serialize)]
pub(super) struct Several {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_definitions: Vec<DefinitionShape>,
}

pub(super) async fn create(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<NewDefinition>,
) -> Answered<One> {
    let written = admin.create_definition(&caller, request).await?;
    Ok(Answer::written(written, |definition| One { model_definition: definition.into() }))
}

pub(super) async fn get(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Which(id), .. }: Asked<Which>,
) -> Answered<One> {
    let model_definition = admin.definition(&id).await?.into();
    Ok(Answer::read(One { model_definition }))
}

pub(super) async fn list(
    State(Management { admin, .. }): State<Management>,
    Asked { request, .. }: Asked<ListDefinitions>,
) -> Answered<Several> {
    let definitions = admin.definitions(&request).await?;
    Ok(Answer::read(Several { model_definitions: definitions.into_iter().map(Into::into).collect() }))
}

pub(super) async fn update(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<DefinitionChange>,
) -> Answered<One> {
    let written = admin.update_definition(&caller, request).await?;
    Ok(Answer::written(written, |definition| One { model_definition: definition.into() }))
}

pub(super) async fn delete(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Which(id) }: Asked<Which>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.delete_definition(&caller, &id).await?))
}

impl Shape for NewDefinition {
    const ACTOR: Option<&'static str> = Some("created_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let secret_id = fields.required_id("secret_id", secrets::ENTITY, SecretId::parse);
        let provider = fields.required("provider", Provider::parse);
        let model_name = fields.required("model_name", ModelName::parse);
        Some(Self { name: name?, secret_id: secret_id?, provider: provider?, model_name: model_name? })
    }
}

impl Shape for DefinitionChange {
    const ACTOR: Option<&'static str> = Some("updated_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required_id("model_definition_id", ENTITY, ModelDefinitionId::parse);
        let name = fields.optional("name", Label::parse);
        let secret_id = fields.optional_id("secret_id", secrets::ENTITY, SecretId::parse);
        let provider = fields.optional("provider", Provider::parse);
        let model_name = fields.optional("model_name", ModelName::parse);
        Some(Self { id: id?, name, secret_id, provider, model_name })
    }
}

impl Shape for ListDefinitions {
    fn read(fields: &mut Fields) -> Option<Self> {
        let provider = fields.optional("provider", Provider::parse);
        let secret_id = fields.optional("secret_id", SecretId::parse);
        Some(Self { provider, secret_id })
    }
}

impl Shape for Which {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required_id("model_definition_id", ENTITY, ModelDefinitionId::parse).map(Self)
    }
}
