//! What edges watch: endpoints with their targets, without secrets.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use names::{EndpointId, EndpointName, MappingId, ModelName, Provider, SecretId};

use super::{Scope, begin};
use crate::{
    Catalog, Position, PublishedEndpoint, PublishedTarget, Role, Store, StoreError, Updates, Watcher,
    store::Inner,
    tables::{ChangeKind, ChangeRow, DefinitionRow, EndpointRow, MappingRow, Of, Read, convert},
};

#[async_trait::async_trait]
impl Catalog for Store {
    async fn watch(
        &self,
        watcher: Watcher,
        from: Option<Position>,
    ) -> Result<Updates<PublishedEndpoint>, StoreError> {
        begin(&self.inner, Endpoints, watcher, String::new(), from).await
    }

    async fn acknowledge(&self, watcher: &Watcher, position: Position) -> Result<(), StoreError> {
        self.inner.acknowledged(watcher, position).await
    }
}

struct Endpoints;

type Mapped = (MappingRow, DefinitionRow);
type Tags = BTreeMap<String, String>;
/// Versions by secret.
type Versions = HashMap<String, i64>;

#[async_trait::async_trait]
impl Scope for Endpoints {
    type Item = PublishedEndpoint;
    type Row = (EndpointRow, Vec<Mapped>, Tags, Arc<Versions>);

    const ROLE: Role = Role::Edge;

    fn concerns(&self, change: &ChangeRow) -> bool {
        change.kind == ChangeKind::Catalog
    }

    async fn count(&self, rows: &mut dyn Read) -> Result<usize, StoreError> {
        Ok(rows.endpoints().await?.len())
    }

    async fn all(&self, rows: &mut dyn Read) -> Result<Vec<(String, Self::Row)>, StoreError> {
        let mut mapped: HashMap<String, Vec<Mapped>> = HashMap::new();
        for mapping in rows.mappings(Of::All).await? {
            mapped.entry(mapping.0.endpoint_id.clone()).or_default().push(mapping);
        }
        let mut tags: HashMap<String, Tags> = HashMap::new();
        for tag in rows.tags(None).await? {
            tags.entry(tag.endpoint_id).or_default().insert(tag.key, tag.value);
        }
        let versions = rows.secrets().await?.into_iter().map(|row| (row.id, row.version));
        let versions: Arc<Versions> = Arc::new(versions.collect());
        let endpoints = rows.endpoints().await?.into_iter();
        Ok(endpoints
            .map(|row| {
                let mapped = mapped.remove(&row.id).unwrap_or_default();
                let tags = tags.remove(&row.id).unwrap_or_default();
                (row.id.clone(), (row, mapped, tags, Arc::clone(&versions)))
            })
            .collect())
    }

    async fn one(&self, rows: &mut dyn Read, key: &str) -> Result<Option<Self::Row>, StoreError> {
        let Some(row) = rows.endpoint(key).await? else { return Ok(None) };
        let mapped = rows.mappings(Of::Endpoint(key)).await?;
        let tags = rows.tags(Some(key)).await?.into_iter().map(|tag| (tag.key, tag.value)).collect();
        let mut versions = Versions::new();
        for id in mapped.iter().filter_map(|(_, definition)| definition.secret_id.as_ref()) {
            if let Some(secret) = rows.secret(id).await? {
                versions.insert(secret.id, secret.version);
            }
        }
        Ok(Some((row, mapped, tags, Arc::new(versions))))
    }

    fn item(
        &self,
        _: &Inner,
        _: &Watcher,
        (row, mapped, tags, versions): &Self::Row,
    ) -> Result<Self::Item, StoreError> {
        Ok(published(row, mapped, tags, versions)?)
    }
}

fn published(
    row: &EndpointRow,
    mapped: &[Mapped],
    tags: &Tags,
    versions: &Versions,
) -> Result<PublishedEndpoint, convert::Garbled> {
    let all = mapped.len();
    let mut mapped: Vec<_> =
        mapped.iter().filter(|(_, definition)| definition.secret_id.is_some()).cloned().collect();
    let without_secret = u32::try_from(all - mapped.len()).ok();
    convert::in_order(&mut mapped);
    Ok(PublishedEndpoint {
        id: EndpointId::parse(&row.id)?,
        name: EndpointName::parse(&row.name)?,
        targets: mapped.iter().map(|mapped| target(mapped, versions)).collect::<Result<_, _>>()?,
        without_secret,
        routing_strategy: convert::routing(row.routing_strategy.as_deref())?,
        fallback_config: convert::fallback(row.fallback_config.as_deref())?,
        tags: tags.clone(),
        created_at: row.created_at,
        revision: convert::revision(row.revision)?,
    })
}

fn target((mapping, definition): &Mapped, versions: &Versions) -> Result<PublishedTarget, convert::Garbled> {
    let secret = definition.secret_id.as_ref().and_then(|id| Some((id, *versions.get(id)?)));
    let secret = secret
        .map(|(id, version)| Ok::<_, convert::Garbled>((SecretId::parse(id)?, convert::revision(version)?)));
    Ok(PublishedTarget {
        mapping: MappingId::parse(&mapping.id)?,
        provider: Provider::parse(&definition.provider)?,
        model: ModelName::parse(&definition.model_name)?,
        linkage: convert::linkage(&mapping.linkage)?,
        weight: mapping.weight,
        secret: secret.transpose()?,
    })
}
