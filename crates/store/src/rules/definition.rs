//! Model definitions: a provider's model with a secret of the same provider.

use names::ModelDefinitionId;
use serde_json::json;

use super::taken;
use crate::{
    Caller, DefinitionChange, ModelDefinition, NewDefinition, StoreError,
    store::{Inner, change::Change},
    tables::{Constraint, DefinitionRow, Of, Read, convert},
};

impl Inner {
    pub(crate) async fn create_definition(
        &self,
        caller: &Caller,
        new: NewDefinition,
    ) -> Result<(ModelDefinition, u64), StoreError> {
        let mut change = self.change(caller).await?;
        let secret_name = change.secret_for(new.secret_id.as_str(), &new.provider).await?;
        let row = DefinitionRow {
            id: ModelDefinitionId::from_random(self.entropy.bits()).to_string(),
            name: new.name.to_string(),
            secret_id: Some(new.secret_id.to_string()),
            secret_name: Some(secret_name.to_string()),
            provider: new.provider.to_string(),
            model_name: new.model_name.to_string(),
            created_at: change.now,
            last_updated_at: change.now,
            created_by: change.actor(),
            last_updated_by: change.actor(),
        };
        change.put_definition(&row).await?;
        let revision = change.commit("model_definition.create", &row.id, detail(&row)).await?;
        Ok((convert::definition(&row)?, revision))
    }

    pub(crate) async fn update_definition(
        &self,
        caller: &Caller,
        given: DefinitionChange,
    ) -> Result<(ModelDefinition, u64), StoreError> {
        let mut change = self.change(caller).await?;
        let old = definition_row(change.rows.as_mut(), given.id.as_str()).await?;
        let mut row = old.clone();
        row.last_updated_at = change.now;
        row.last_updated_by = change.actor().or(row.last_updated_by);
        if let Some(name) = given.name {
            row.name = name.to_string();
        }
        if let Some(model_name) = given.model_name {
            row.model_name = model_name.to_string();
        }
        if let Some(provider) = given.provider {
            row.provider = provider.to_string();
        }
        if let Some(secret_id) = given.secret_id {
            row.secret_id = Some(secret_id.to_string());
        }
        if let Some(secret_id) = row.secret_id.clone() {
            let provider = convert::definition(&row)?.provider;
            row.secret_name = Some(change.secret_for(&secret_id, &provider).await?.to_string());
        }
        change.put_definition(&row).await?;
        let target =
            |row: &DefinitionRow| (row.provider.clone(), row.model_name.clone(), row.secret_id.clone());
        if target(&old) != target(&row) {
            for (mapping, _) in change.rows.mappings(Of::Definition(&row.id)).await? {
                change.touch(&mapping, &old.provider);
                change.touch(&mapping, &row.provider);
            }
        }
        let revision = change.commit("model_definition.update", &row.id, detail(&row)).await?;
        Ok((convert::definition(&row)?, revision))
    }

    pub(crate) async fn delete_definition(
        &self,
        caller: &Caller,
        id: &ModelDefinitionId,
    ) -> Result<u64, StoreError> {
        let mut change = self.change(caller).await?;
        if !change.rows.mappings(Of::Definition(id.as_str())).await?.is_empty() {
            return Err(StoreError::FailedPrecondition(
                "Cannot delete model definition that is currently in use by endpoints. \
                 Detach it from all endpoints first."
                    .to_owned(),
            ));
        }
        if !change.rows.delete_definition(id.as_str()).await? {
            return Err(not_found(id.as_str()));
        }
        change.commit("model_definition.delete", id.as_str(), json!({})).await
    }
}

impl Change<'_> {
    async fn put_definition(&mut self, row: &DefinitionRow) -> Result<(), StoreError> {
        self.rows.put_definition(row).await.map_err(|error| {
            taken(error, Constraint::DefinitionName, || {
                format!("Model definition with name '{}' already exists", row.name)
            })
        })
    }
}

pub(crate) async fn definition_row(
    rows: &mut (impl Read + ?Sized),
    id: &str,
) -> Result<DefinitionRow, StoreError> {
    rows.definition(id).await?.ok_or_else(|| not_found(id))
}

fn detail(row: &DefinitionRow) -> serde_json::Value {
    json!({"name": row.name, "provider": row.provider, "model_name": row.model_name, "secret_id": row.secret_id})
}

fn not_found(id: &str) -> StoreError {
    StoreError::NotFound(format!("GatewayModelDefinition not found (model_definition_id='{id}')"))
}
