//! Rows to entities: the one place that parses what lies in columns. What does not parse is a defect or tampering.

use std::collections::BTreeMap;

use access::{KeyId, Mac, NotAKeyId, PepperId, Record, Scope};
use names::{
    Actor, EndpointId, EndpointName, Label, MappingId, ModelDefinitionId, ModelName, NameError, Provider,
    SecretId,
};

use super::{
    BindingRow, ClientKeyRow, DefinitionRow, EndpointRow, ExperimentRow, MappingRow, SecretRow, TablesError,
    TagRow,
};
use crate::{
    Binding, ClientKey, Endpoint, Experiment, FallbackConfig, Linkage, Mapping, ModelDefinition, Position,
    RoutingStrategy, Secret, Tag,
};

/// A column that does not hold what its type says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Garbled {
    /// A name or an identifier.
    #[error("a name does not parse: {0}")]
    Name(#[from] NameError),
    /// JSON.
    #[error("a JSON column does not parse")]
    Json(#[from] serde_json::Error),
    /// A number below zero or above its type.
    #[error("a number is out of range")]
    Number(#[from] std::num::TryFromIntError),
    /// One of few words.
    #[error("a word is not one of its column's")]
    Word,
    /// An id of a key.
    #[error("an id of a key does not parse")]
    KeyId(#[from] NotAKeyId),
    /// A MAC.
    #[error("a MAC has another length")]
    Mac,
}

impl From<Garbled> for TablesError {
    fn from(garbled: Garbled) -> Self {
        Self::Defect(Box::new(garbled))
    }
}

type Parsed<T> = Result<T, Garbled>;

fn optional<T, E: Into<Garbled>>(text: Option<&str>, parse: fn(&str) -> Result<T, E>) -> Parsed<Option<T>> {
    text.map(parse).transpose().map_err(Into::into)
}

/// A count or a revision as it lies in a column.
pub(crate) fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn revision(column: i64) -> Parsed<u64> {
    Ok(u64::try_from(column)?)
}

pub(crate) fn position(meta: super::Meta) -> Parsed<Position> {
    Ok(Position { epoch: revision(meta.epoch)?, revision: revision(meta.revision)? })
}

pub(crate) fn map(json: &str) -> Parsed<BTreeMap<String, String>> {
    Ok(serde_json::from_str(json)?)
}

pub(crate) fn secret(row: &SecretRow) -> Parsed<Secret> {
    Ok(Secret {
        id: SecretId::parse(&row.id)?,
        name: Label::parse(&row.name)?,
        masked_values: map(&row.masked_values)?,
        version: revision(row.version)?,
        provider: optional(row.provider.as_deref(), Provider::parse)?,
        auth_config: map(&row.auth_config)?,
        created_at: row.created_at,
        last_updated_at: row.last_updated_at,
        created_by: optional(row.created_by.as_deref(), Actor::parse)?,
        last_updated_by: optional(row.last_updated_by.as_deref(), Actor::parse)?,
    })
}

pub(crate) fn definition(row: &DefinitionRow) -> Parsed<ModelDefinition> {
    let secret = match (&row.secret_id, &row.secret_name) {
        (Some(id), Some(name)) => Some((SecretId::parse(id)?, Label::parse(name)?)),
        _ => None,
    };
    Ok(ModelDefinition {
        id: ModelDefinitionId::parse(&row.id)?,
        name: Label::parse(&row.name)?,
        secret,
        provider: Provider::parse(&row.provider)?,
        model_name: ModelName::parse(&row.model_name)?,
        created_at: row.created_at,
        last_updated_at: row.last_updated_at,
        created_by: optional(row.created_by.as_deref(), Actor::parse)?,
        last_updated_by: optional(row.last_updated_by.as_deref(), Actor::parse)?,
    })
}

pub(crate) const fn linkage_column(linkage: Linkage) -> &'static str {
    match linkage {
        Linkage::Primary => "PRIMARY",
        Linkage::Fallback => "FALLBACK",
    }
}

pub(crate) fn linkage(column: &str) -> Parsed<Linkage> {
    [Linkage::Primary, Linkage::Fallback]
        .into_iter()
        .find(|linkage| linkage_column(*linkage) == column)
        .ok_or(Garbled::Word)
}

pub(crate) fn mapping((row, definition_row): &(MappingRow, DefinitionRow)) -> Parsed<Mapping> {
    Ok(Mapping {
        id: MappingId::parse(&row.id)?,
        endpoint_id: EndpointId::parse(&row.endpoint_id)?,
        definition: definition(definition_row)?,
        weight: row.weight,
        linkage: linkage(&row.linkage)?,
        fallback_order: row.fallback_order.map(i32::try_from).transpose()?,
        created_at: row.created_at,
        created_by: optional(row.created_by.as_deref(), Actor::parse)?,
    })
}

/// Sorts an endpoint's mappings, which come in order of creation: primaries, then fallbacks in their order, those
/// without one last.
pub(crate) fn in_order(mappings: &mut [(MappingRow, DefinitionRow)]) {
    mappings.sort_by_key(|(row, _)| {
        let fallback = row.linkage != linkage_column(Linkage::Primary);
        let place = if fallback { row.fallback_order.unwrap_or(i64::MAX) } else { 0 };
        (fallback, place, row.ordinal)
    });
}

pub(crate) const SPLIT: &str = "REQUEST_BASED_TRAFFIC_SPLIT";

pub(crate) fn routing(column: Option<&str>) -> Parsed<Option<RoutingStrategy>> {
    match column {
        None => Ok(None),
        Some(SPLIT) => Ok(Some(RoutingStrategy::RequestBasedTrafficSplit)),
        Some(_) => Err(Garbled::Word),
    }
}

pub(crate) fn fallback(column: Option<&str>) -> Parsed<Option<FallbackConfig>> {
    Ok(column.map(serde_json::from_str).transpose()?)
}

/// One endpoint from its row, its mappings in order of creation, and its tags by key.
pub(crate) fn endpoint(
    row: &EndpointRow,
    mut mappings: Vec<(MappingRow, DefinitionRow)>,
    tags: Vec<TagRow>,
) -> Parsed<Endpoint> {
    in_order(&mut mappings);
    Ok(Endpoint {
        id: EndpointId::parse(&row.id)?,
        name: EndpointName::parse(&row.name)?,
        mappings: mappings.iter().map(mapping).collect::<Parsed<_>>()?,
        tags: tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect(),
        routing_strategy: routing(row.routing_strategy.as_deref())?,
        fallback_config: fallback(row.fallback_config.as_deref())?,
        experiment_id: row.experiment_id.map(u64::try_from).transpose()?,
        usage_tracking: row.usage_tracking,
        created_at: row.created_at,
        last_updated_at: row.last_updated_at,
        created_by: optional(row.created_by.as_deref(), Actor::parse)?,
        last_updated_by: optional(row.last_updated_by.as_deref(), Actor::parse)?,
    })
}

pub(crate) fn binding(row: &BindingRow) -> Parsed<Binding> {
    Ok(Binding {
        endpoint_id: EndpointId::parse(&row.endpoint_id)?,
        resource_type: row.resource_type.clone(),
        resource_id: row.resource_id.clone(),
        created_at: row.created_at,
        last_updated_at: row.last_updated_at,
        created_by: optional(row.created_by.as_deref(), Actor::parse)?,
        last_updated_by: optional(row.last_updated_by.as_deref(), Actor::parse)?,
    })
}

pub(crate) fn experiment(row: &ExperimentRow) -> Parsed<Experiment> {
    Ok(Experiment {
        id: u64::try_from(row.id)?,
        name: Label::parse(&row.name)?,
        artifact_location: row.artifact_location.clone(),
        tags: serde_json::from_str(&row.tags)?,
        created_at: row.created_at,
        last_updated_at: row.last_updated_at,
    })
}

pub(crate) fn label(column: &str) -> Parsed<Label> {
    Ok(Label::parse(column)?)
}

pub(crate) fn scope(column: &str) -> Parsed<Scope> {
    Ok(serde_json::from_str(column)?)
}

/// What a client key is checked by.
pub(crate) fn record(row: &ClientKeyRow) -> Parsed<Record> {
    Ok(Record {
        key_id: KeyId::parse(&row.key_id)?,
        mac: Mac::from_bytes(&row.mac).ok_or(Garbled::Mac)?,
        pepper: PepperId(u32::try_from(row.pepper)?),
        not_before_ms: None,
        expires_at_ms: row.expires_at,
        retires_at_ms: row.retires_at,
        revoked_at_ms: row.revoked_at,
    })
}

pub(crate) fn client_key(row: &ClientKeyRow) -> Parsed<ClientKey> {
    Ok(ClientKey {
        key_id: KeyId::parse(&row.key_id)?,
        owner: label(&row.owner)?,
        note: row.note.clone(),
        scope: scope(&row.scope)?,
        expires_at: row.expires_at,
        retires_at: row.retires_at,
        revoked_at: row.revoked_at,
        replaced_by: optional(row.replaced_by.as_deref(), KeyId::parse)?,
        created_at: row.created_at,
        last_updated_at: row.last_updated_at,
        created_by: optional(row.created_by.as_deref(), Actor::parse)?,
        last_updated_by: optional(row.last_updated_by.as_deref(), Actor::parse)?,
    })
}
