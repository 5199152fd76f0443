//! Bindings: which resources of MLflow's use an endpoint.

use serde_json::json;

use super::{endpoint::endpoint_row, invalid, shown, taken};
use crate::{
    Binding, Caller, NewBinding, StoreError,
    store::Inner,
    tables::{BindingRow, Constraint, convert},
};

/// Kinds of resources: MLflow 3.17's, and the name that its 3.8 client has for it.
const RESOURCE_TYPES: [&str; 2] = ["scorer", "scorer_job"];
/// The longest name of a resource, in characters; MLflow's column.
const RESOURCE_ID_MAX: usize = 255;

impl Inner {
    pub(crate) async fn create_binding(
        &self,
        caller: &Caller,
        new: NewBinding,
    ) -> Result<(Binding, u64), StoreError> {
        if !RESOURCE_TYPES.contains(&new.resource_type.as_str()) {
            return Err(invalid(format!("resource_type must be one of: {}", RESOURCE_TYPES.join(", "))));
        }
        let id = &new.resource_id;
        if id.is_empty() || id.chars().count() > RESOURCE_ID_MAX || id.chars().any(char::is_control) {
            return Err(invalid(format!(
                "resource_id must be 1 to {RESOURCE_ID_MAX} characters that can be shown"
            )));
        }
        let mut change = self.change(caller).await?;
        endpoint_row(change.rows.as_mut(), new.endpoint_id.as_str()).await?;
        let row = BindingRow {
            endpoint_id: new.endpoint_id.to_string(),
            resource_type: new.resource_type,
            resource_id: new.resource_id,
            created_at: change.now,
            last_updated_at: change.now,
            created_by: change.actor(),
            last_updated_by: change.actor(),
        };
        change.rows.insert_binding(&row).await.map_err(|error| {
            taken(error, Constraint::Binding, || {
                format!(
                    "Endpoint '{}' is already bound to {} '{}'",
                    row.endpoint_id, row.resource_type, row.resource_id
                )
            })
        })?;
        let revision = change.commit("endpoint.bind", &row.endpoint_id, detail(&row)).await?;
        Ok((convert::binding(&row)?, revision))
    }

    pub(crate) async fn delete_binding(&self, caller: &Caller, which: NewBinding) -> Result<u64, StoreError> {
        let NewBinding { endpoint_id, resource_type, resource_id } = which;
        let mut change = self.change(caller).await?;
        if resource_type.contains('\0')
            || resource_id.contains('\0')
            || !change.rows.delete_binding(endpoint_id.as_str(), &resource_type, &resource_id).await?
        {
            return Err(StoreError::NotFound(format!(
                "GatewayEndpointBinding not found (endpoint_id='{endpoint_id}', resource_type='{}', \
                 resource_id='{}')",
                shown(&resource_type),
                shown(&resource_id)
            )));
        }
        let detail = json!({"resource_type": resource_type, "resource_id": resource_id});
        change.commit("endpoint.unbind", endpoint_id.as_str(), detail).await
    }
}

fn detail(row: &BindingRow) -> serde_json::Value {
    json!({"resource_type": row.resource_type, "resource_id": row.resource_id})
}
