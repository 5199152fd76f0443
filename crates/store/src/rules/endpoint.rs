//! Endpoints: a name, what answers for it, and its tags.

use std::collections::HashMap;

use names::EndpointId;
use serde_json::json;

use super::{
    check_tag, check_tag_key, invalid,
    mapping::{check_models, complete},
    taken,
};
use crate::{
    Caller, Endpoint, EndpointChange, EndpointRef, FallbackConfig, NewEndpoint, RoutingStrategy, StoreError,
    Tag,
    store::{Inner, change::Change},
    tables::{Constraint, EndpointRow, Of, Read, TagRow, convert},
};

/// The most tags of an endpoint: every edge holds them, since scopes of client keys go by them.
const TAGS_MAX: usize = 100;

impl Inner {
    pub(crate) async fn create_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<(Endpoint, u64), StoreError> {
        check_models(&new.models)?;
        let mut change = self.change(caller).await?;
        change.definitions_of(&new.models).await?;
        let mut row = EndpointRow {
            id: EndpointId::from_random(self.entropy.bits()).to_string(),
            name: new.name.to_string(),
            routing_strategy: new.routing_strategy.map(routing_column),
            fallback_config: new.fallback_config.map(fallback_column).transpose()?,
            experiment_id: change.known_experiment(new.experiment_id).await?,
            usage_tracking: new.usage_tracking,
            revision: 0,
            created_at: change.now,
            last_updated_at: change.now,
            created_by: change.actor(),
            last_updated_by: change.actor(),
        };
        if row.usage_tracking && row.experiment_id.is_none() {
            row.experiment_id = Some(change.usage_experiment(&row).await?);
        }
        // The row first: mappings refer to it. What its mappings imply follows.
        change.put_endpoint(&row).await?;
        let mappings = change.put_mappings(&row.id, &new.models).await?;
        complete(&mut row, &mappings);
        change.put_endpoint(&row).await?;
        change.touch_endpoint(&row.id);
        let endpoint = load(change.rows.as_mut(), row).await?;
        let detail = json!({"name": endpoint.name, "models": endpoint.mappings.len()});
        let revision = change.commit("endpoint.create", endpoint.id.as_str(), detail).await?;
        Ok((endpoint, revision))
    }

    pub(crate) async fn update_endpoint(
        &self,
        caller: &Caller,
        given: EndpointChange,
    ) -> Result<(Endpoint, u64), StoreError> {
        let models = given.models.filter(|models| !models.is_empty());
        models.as_deref().map_or(Ok(()), check_models)?;
        let mut change = self.change(caller).await?;
        let mut row = endpoint_row(change.rows.as_mut(), given.id.as_str()).await?;
        row.last_updated_at = change.now;
        row.last_updated_by = change.actor().or(row.last_updated_by);
        if let Some(name) = given.name.filter(|name| name.as_str() != row.name) {
            row.name = name.to_string();
            // Forwarders show the endpoint's name.
            for (mapping, definition) in change.rows.mappings(Of::Endpoint(&row.id)).await? {
                change.touch_target(&mapping, &definition.provider);
            }
        }
        if let Some(strategy) = given.routing_strategy {
            row.routing_strategy = Some(routing_column(strategy));
        }
        if let Some(config) = given.fallback_config {
            row.fallback_config = Some(fallback_column(config)?);
        }
        row.experiment_id = change.known_experiment(given.experiment_id).await?.or(row.experiment_id);
        row.usage_tracking = given.usage_tracking.unwrap_or(row.usage_tracking);
        if row.usage_tracking && row.experiment_id.is_none() {
            row.experiment_id = Some(change.usage_experiment(&row).await?);
        }
        if let Some(models) = models {
            let old = change.rows.mappings(Of::Endpoint(&row.id)).await?;
            change.delete_mappings(old).await?;
            let mappings = change.put_mappings(&row.id, &models).await?;
            complete(&mut row, &mappings);
        }
        change.put_endpoint(&row).await?;
        change.touch_endpoint(&row.id);
        let endpoint = load(change.rows.as_mut(), row).await?;
        let detail = json!({"name": endpoint.name, "models": endpoint.mappings.len()});
        let revision = change.commit("endpoint.update", endpoint.id.as_str(), detail).await?;
        Ok((endpoint, revision))
    }

    pub(crate) async fn delete_endpoint(&self, caller: &Caller, id: &EndpointId) -> Result<u64, StoreError> {
        let mut change = self.change(caller).await?;
        let row = endpoint_row(change.rows.as_mut(), id.as_str()).await?;
        for (mapping, definition) in change.rows.mappings(Of::Endpoint(id.as_str())).await? {
            change.touch(&mapping, &definition.provider);
        }
        change.touch_endpoint(&row.id);
        change.rows.delete_endpoint(&row.id).await?;
        change.commit("endpoint.delete", &row.id, json!({"name": row.name})).await
    }

    pub(crate) async fn set_tag(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        tag: Tag,
    ) -> Result<u64, StoreError> {
        check_tag(&tag)?;
        let mut change = self.change(caller).await?;
        let row = endpoint_row(change.rows.as_mut(), endpoint.as_str()).await?;
        let detail = json!({"key": tag.key});
        let tags = change.rows.tags(Some(&row.id)).await?;
        if tags.len() >= TAGS_MAX && tags.iter().all(|known| known.key != tag.key) {
            return Err(invalid(format!("an endpoint must have at most {TAGS_MAX} tags")));
        }
        change.touch_endpoint(&row.id);
        change.rows.put_tag(&TagRow { endpoint_id: row.id.clone(), key: tag.key, value: tag.value }).await?;
        change.commit("endpoint.set_tag", &row.id, detail).await
    }

    pub(crate) async fn delete_tag(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        key: &str,
    ) -> Result<u64, StoreError> {
        check_tag_key(key)?;
        let mut change = self.change(caller).await?;
        let row = endpoint_row(change.rows.as_mut(), endpoint.as_str()).await?;
        change.touch_endpoint(&row.id);
        change.rows.delete_tag(&row.id, key).await?;
        change.commit("endpoint.delete_tag", &row.id, json!({"key": key})).await
    }

    pub(crate) async fn endpoint(&self, which: &EndpointRef) -> Result<Endpoint, StoreError> {
        let mut rows = self.read().await?;
        let row = match which {
            EndpointRef::Id(id) => endpoint_row(rows.as_mut(), id.as_str()).await?,
            EndpointRef::Name(name) => {
                rows.endpoint_by_name(name.as_str()).await?.ok_or_else(|| not_found("name", name.as_str()))?
            }
        };
        load(rows.as_mut(), row).await
    }

    /// All endpoints, from one query a table.
    pub(crate) async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        let mut rows = self.read().await?;
        let endpoints = rows.endpoints().await?;
        let mut mappings: HashMap<String, Vec<_>> = HashMap::new();
        for mapping in rows.mappings(Of::All).await? {
            mappings.entry(mapping.0.endpoint_id.clone()).or_default().push(mapping);
        }
        let mut tags: HashMap<String, Vec<_>> = HashMap::new();
        for tag in rows.tags(None).await? {
            tags.entry(tag.endpoint_id.clone()).or_default().push(tag);
        }
        let mut all = Vec::with_capacity(endpoints.len());
        for row in endpoints {
            let mappings = mappings.remove(&row.id).unwrap_or_default();
            let tags = tags.remove(&row.id).unwrap_or_default();
            all.push(convert::endpoint(&row, mappings, tags)?);
        }
        Ok(all)
    }
}

impl Change<'_> {
    async fn put_endpoint(&mut self, row: &EndpointRow) -> Result<(), StoreError> {
        self.rows.put_endpoint(row).await.map_err(|error| {
            taken(error, Constraint::EndpointName, || {
                format!("Endpoint with name '{}' already exists", row.name)
            })
        })
    }
}

pub(crate) async fn endpoint_row(
    rows: &mut (impl Read + ?Sized),
    id: &str,
) -> Result<EndpointRow, StoreError> {
    rows.endpoint(id).await?.ok_or_else(|| not_found("endpoint_id", id))
}

async fn load(rows: &mut (impl Read + ?Sized), row: EndpointRow) -> Result<Endpoint, StoreError> {
    let mappings = rows.mappings(Of::Endpoint(&row.id)).await?;
    let tags = rows.tags(Some(&row.id)).await?;
    Ok(convert::endpoint(&row, mappings, tags)?)
}

fn routing_column(strategy: RoutingStrategy) -> String {
    match strategy {
        RoutingStrategy::RequestBasedTrafficSplit => convert::SPLIT.to_owned(),
    }
}

fn fallback_column(config: FallbackConfig) -> Result<String, StoreError> {
    if config.max_attempts == Some(0) {
        return Err(invalid("fallback_config.max_attempts must be at least 1"));
    }
    Ok(json!(config).to_string())
}

fn not_found(field: &str, value: &str) -> StoreError {
    StoreError::NotFound(format!("GatewayEndpoint not found ({field}='{value}')"))
}
