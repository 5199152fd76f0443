//! Secrets: a provider's key under a name. What comes in is never answered again, only its mask.

use axum::extract::State;
use names::{Label, Provider, SecretId};
use serde::Serialize;
use store::{NewSecret, SecretChange, SecretValue};

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    discovery,
    fields::Fields,
    problem::Problem,
    request::{Asked, Shape},
    shapes::SecretShape,
};

/// What MLflow calls one in messages.
pub(super) const ENTITY: &str = "GatewaySecret";

/// Which secret.
pub(super) struct Which(SecretId);

/// Which secrets.
pub(super) struct Listed(Option<Provider>);

/// One secret.
#[derive(Debug, Serialize)]
pub(super) struct One {
    secret: SecretShape,
}

/// Several secrets.
#[derive(Debug, Serialize)]
pub(super) struct Several {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<SecretShape>,
}

pub(super) async fn create(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<NewSecret>,
) -> Answered<One> {
    check_fields(request.provider.as_ref(), &request.value)?;
    let written = admin.create_secret(&caller, request).await?;
    Ok(Answer::written(written, |secret| One { secret: secret.into() }))
}

pub(super) async fn get(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Which(id), .. }: Asked<Which>,
) -> Answered<One> {
    let secret = admin.secret(&id).await?.into();
    Ok(Answer::read(One { secret }))
}

pub(super) async fn list(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Listed(provider), .. }: Asked<Listed>,
) -> Answered<Several> {
    let secrets = admin.secrets(provider.as_ref()).await?;
    Ok(Answer::read(Several { secrets: secrets.into_iter().map(Into::into).collect() }))
}

pub(super) async fn update(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<SecretChange>,
) -> Answered<One> {
    if let Some(value) = request.value.as_ref().filter(|value| !value.is_empty()) {
        check_fields(admin.secret(&request.id).await?.provider.as_ref(), value)?;
    }
    let written = admin.update_secret(&caller, request).await?;
    Ok(Answer::written(written, |secret| One { secret: secret.into() }))
}

pub(super) async fn delete(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Which(id) }: Asked<Which>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.delete_secret(&caller, &id).await?))
}

/// Refuses a value that its provider can do nothing with.
fn check_fields(provider: Option<&Provider>, value: &SecretValue) -> Result<(), Problem> {
    let Some(provider) = provider else { return Ok(()) };
    match discovery::missing_field(provider, value) {
        None => Ok(()),
        Some(field) => Err(Problem::bad_request(format!(
            "secret_value of provider '{provider}' must have the field '{field}'"
        ))),
    }
}

impl Shape for NewSecret {
    const ACTOR: Option<&'static str> = Some("created_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("secret_name", Label::parse);
        // MLflow stores an empty secret where the value is absent, empty or of another type (its bug 19).
        let value = fields.required_secret_value("secret_value");
        let provider = fields.optional("provider", Provider::parse);
        let auth_config = fields.auth_config().unwrap_or_default();
        Some(Self { name: name?, value: value?, provider, auth_config })
    }
}

impl Shape for SecretChange {
    const ACTOR: Option<&'static str> = Some("updated_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let id = fields.required_id("secret_id", ENTITY, SecretId::parse);
        let value = fields.secret_value("secret_value");
        let auth_config = fields.auth_config();
        Some(Self { id: id?, value, auth_config })
    }
}

impl Shape for Which {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required_id("secret_id", ENTITY, SecretId::parse).map(Self)
    }
}

impl Shape for Listed {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.optional("provider", Provider::parse)))
    }
}
