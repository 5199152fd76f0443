//! Client keys: Keyward's own routes, below `/api/3.0/keyward/client-keys`. A key is in the answer that makes it only.

use access::{KeyId, Kind, Scope};
use axum::extract::State;
use names::{EndpointName, Label};
use serde::Serialize;
use store::{ClientKey, ClientKeyChange, Expiry, MintedKey, NewClientKey};

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    fields::{Fields, shown},
    request::{Asked, Shape},
    tags,
};

/// Which key.
pub(super) struct Which(KeyId);

/// Which keys.
pub(super) struct Listed {
    owner: Option<Label>,
}

/// Which key to replace, and how long it counts beside the new one.
pub(super) struct Rotate {
    key_id: KeyId,
    overlap_ms: i64,
}

/// A client key, without the key. Times are milliseconds since the Unix epoch; what is unset is left out.
#[derive(Debug, Serialize)]
struct KeyShape {
    key_id: String,
    masked_key: String,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    all_endpoints: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoint_tags: Vec<TagShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
    created_at: i64,
    last_updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_by: Option<String>,
}

/// A tag of endpoints.
#[derive(Debug, Serialize)]
struct TagShape {
    key: String,
    value: String,
}

/// A key that was made just now. No `Debug`: it holds the key.
#[derive(Serialize)]
pub(super) struct Minted {
    client_key: KeyShape,
    key: String,
}

/// One key.
#[derive(Debug, Serialize)]
pub(super) struct One {
    client_key: KeyShape,
}

/// Several keys.
#[derive(Debug, Serialize)]
pub(super) struct Several {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    client_keys: Vec<KeyShape>,
}

pub(super) async fn create(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<NewClientKey>,
) -> Answered<Minted> {
    Ok(Answer::written(admin.create_client_key(&caller, request).await?, Into::into))
}

pub(super) async fn get(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Which(key_id), .. }: Asked<Which>,
) -> Answered<One> {
    Ok(Answer::read(admin.client_key(&key_id).await?.into()))
}

pub(super) async fn list(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Listed { owner }, .. }: Asked<Listed>,
) -> Answered<Several> {
    let keys = admin.client_keys(owner.as_ref()).await?;
    Ok(Answer::read(Several { client_keys: keys.into_iter().map(Into::into).collect() }))
}

pub(super) async fn update(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<ClientKeyChange>,
) -> Answered<One> {
    Ok(Answer::written(admin.update_client_key(&caller, request).await?, Into::into))
}

pub(super) async fn rotate(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Rotate { key_id, overlap_ms } }: Asked<Rotate>,
) -> Answered<Minted> {
    Ok(Answer::written(admin.rotate_client_key(&caller, &key_id, overlap_ms).await?, Into::into))
}

pub(super) async fn revoke(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Which(key_id) }: Asked<Which>,
) -> Answered<One> {
    Ok(Answer::written(admin.revoke_client_key(&caller, &key_id).await?, Into::into))
}

pub(super) async fn delete(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Which(key_id) }: Asked<Which>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.delete_client_key(&caller, &key_id).await?))
}

impl Shape for NewClientKey {
    const ACTOR: Option<&'static str> = Some("created_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let owner = fields.required("owner", Label::parse);
        let note = fields.text("note");
        let expires_at = fields.long("expires_at");
        let scope = scope(fields)?.unwrap_or(Scope::All);
        Some(Self { owner: owner?, note, scope, expires_at })
    }
}

impl Shape for ClientKeyChange {
    const ACTOR: Option<&'static str> = Some("updated_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let key_id = key_id(fields);
        let note = fields.text("note");
        let never = fields.flag("never_expires").unwrap_or(false);
        let expires_at = fields.long("expires_at").map(Expiry::At);
        if never && expires_at.is_some() {
            fields.invalid("never_expires", "must not be true beside 'expires_at'");
        }
        let scope = scope(fields)?;
        let expires_at = if never { Some(Expiry::Never) } else { expires_at };
        Some(Self { key_id: key_id?, note, scope, expires_at })
    }
}

impl Shape for Which {
    const ACTOR: Option<&'static str> = Some("updated_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        key_id(fields).map(Self)
    }
}

impl Shape for Rotate {
    const ACTOR: Option<&'static str> = Some("updated_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let key_id = key_id(fields);
        let overlap_ms = fields.long("overlap_ms").unwrap_or(0);
        Some(Self { key_id: key_id?, overlap_ms })
    }
}

impl Shape for Listed {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { owner: fields.optional("owner", Label::parse) })
    }
}

/// An id that cannot exist names nothing.
fn key_id(fields: &mut Fields) -> Option<KeyId> {
    let text = fields.required_text("key_id")?;
    let id = KeyId::parse(&text).ok();
    if id.is_none() {
        fields.not_found(format!("client key not found (key_id='{}')", shown(&text)));
    }
    id
}

/// The scope that is asked for, in two steps: nothing where it is malformed, `Some(None)` where none is given.
/// `all_endpoints`, or the names in `endpoints` and the tags in `endpoint_tags`.
#[expect(clippy::option_option, reason = "whether it could be read, and whether it is there")]
fn scope(fields: &mut Fields) -> Option<Option<Scope>> {
    let all = fields.flag("all_endpoints").unwrap_or(false);
    let before = fields.mistakes();
    let names = fields.texts("endpoints");
    let tags = fields.objects("endpoint_tags", tags::tag);
    if names.is_none() && tags.is_none() {
        return (fields.mistakes() == before).then(|| all.then_some(Scope::All));
    }
    if all {
        fields.invalid("all_endpoints", "must not be true beside 'endpoints' or 'endpoint_tags'");
        return None;
    }
    let mut endpoints = Vec::new();
    for (index, name) in names.unwrap_or_default().iter().enumerate() {
        match EndpointName::parse(name) {
            Ok(name) => endpoints.push(name),
            Err(error) => fields.invalid(&format!("endpoints[{index}]"), &error.to_string()),
        }
    }
    let tags = tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
    match Scope::only(endpoints, tags) {
        Ok(scope) => (fields.mistakes() == before).then_some(Some(scope)),
        Err(error) => {
            fields.refuse(format!("{error}."));
            None
        }
    }
}

impl From<ClientKey> for KeyShape {
    fn from(key: ClientKey) -> Self {
        let (endpoints, endpoint_tags) = match &key.scope {
            Scope::All => (Vec::new(), Vec::new()),
            Scope::Only(only) => {
                let tag =
                    |(key, value): (&str, &str)| TagShape { key: key.to_owned(), value: value.to_owned() };
                (only.names().map(ToString::to_string).collect(), only.tags().map(tag).collect())
            }
        };
        Self {
            masked_key: Kind::Client.masked(key.key_id),
            key_id: key.key_id.into(),
            owner: key.owner.into(),
            note: key.note,
            all_endpoints: key.scope == Scope::All,
            endpoints,
            endpoint_tags,
            expires_at: key.expires_at,
            retires_at: key.retires_at,
            revoked_at: key.revoked_at,
            replaced_by: key.replaced_by.map(Into::into),
            created_at: key.created_at,
            last_updated_at: key.last_updated_at,
            created_by: key.created_by.map(Into::into),
            last_updated_by: key.last_updated_by.map(Into::into),
        }
    }
}

impl From<ClientKey> for One {
    fn from(key: ClientKey) -> Self {
        Self { client_key: key.into() }
    }
}

impl From<MintedKey> for Minted {
    fn from(minted: MintedKey) -> Self {
        Self { client_key: minted.key.into(), key: minted.shown_once.expose().to_owned() }
    }
}
