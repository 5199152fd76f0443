//! Mappings: which model definitions answer for an endpoint, and in which part.

use std::collections::HashSet;

use names::{EndpointId, MappingId, ModelDefinitionId};
use serde_json::json;

use super::{definition::definition_row, endpoint::endpoint_row, invalid, taken};
use crate::{
    Caller, FallbackConfig, Linkage, Mapping, MappingSpec, StoreError,
    store::{Inner, change::Change},
    tables::{Constraint, DefinitionRow, EndpointRow, MappingRow, Of, convert},
};

/// The most model definitions that one endpoint may have.
const MODELS_MAX: usize = 100;
/// The largest weight: the sum of all of an endpoint's stays far from where numbers end or lose their ones.
const WEIGHT_MAX: f64 = 1e6;

impl Inner {
    pub(crate) async fn attach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        spec: MappingSpec,
    ) -> Result<(Mapping, u64), StoreError> {
        check_weight(&spec)?;
        let mut change = self.change(caller).await?;
        let mut row = endpoint_row(change.rows.as_mut(), endpoint.as_str()).await?;
        let definition = definition_row(change.rows.as_mut(), spec.definition_id.as_str()).await?;
        let mut all = change.rows.mappings(Of::Endpoint(&row.id)).await?;
        if all.len() >= MODELS_MAX {
            return Err(too_many());
        }
        let ordinal = all.iter().map(|(mapping, _)| mapping.ordinal + 1).max().unwrap_or(0);
        let mapping = change.put_mapping(&row.id, &spec, ordinal, &definition).await?;
        let attached = (mapping, definition);
        all.push(attached.clone());
        complete(&mut row, &all);
        row.last_updated_at = change.now;
        row.last_updated_by = change.actor().or(row.last_updated_by);
        change.rows.put_endpoint(&row).await?;
        let detail = json!({"model_definition_id": attached.1.id, "linkage": attached.0.linkage});
        let revision = change.commit("endpoint.attach", &row.id, detail).await?;
        Ok((convert::mapping(&attached)?, revision))
    }

    pub(crate) async fn detach(
        &self,
        caller: &Caller,
        endpoint: &EndpointId,
        definition: &ModelDefinitionId,
    ) -> Result<u64, StoreError> {
        let mut change = self.change(caller).await?;
        let mut row = endpoint_row(change.rows.as_mut(), endpoint.as_str()).await?;
        let mut mappings = change.rows.mappings(Of::Endpoint(&row.id)).await?;
        mappings.retain(|(mapping, _)| mapping.definition_id == definition.as_str());
        if mappings.is_empty() {
            return Err(StoreError::NotFound(format!(
                "Model definition '{definition}' is not attached to endpoint '{endpoint}'"
            )));
        }
        change.delete_mappings(mappings).await?;
        row.last_updated_at = change.now;
        row.last_updated_by = change.actor().or(row.last_updated_by);
        change.rows.put_endpoint(&row).await?;
        let detail = json!({"model_definition_id": definition});
        change.commit("endpoint.detach", endpoint.as_str(), detail).await
    }
}

impl Change<'_> {
    /// Maps an endpoint that has no mappings to these, which were checked.
    pub(crate) async fn put_mappings(
        &mut self,
        endpoint_id: &str,
        specs: &[MappingSpec],
    ) -> Result<Vec<(MappingRow, DefinitionRow)>, StoreError> {
        let definitions = self.definitions_of(specs).await?;
        let mut mappings = Vec::with_capacity(specs.len());
        for ((spec, definition), ordinal) in specs.iter().zip(definitions).zip(0..) {
            mappings.push((self.put_mapping(endpoint_id, spec, ordinal, &definition).await?, definition));
        }
        Ok(mappings)
    }

    /// The definitions in the order of the specs; those that are not there are named all at once.
    pub(crate) async fn definitions_of(
        &mut self,
        specs: &[MappingSpec],
    ) -> Result<Vec<DefinitionRow>, StoreError> {
        let mut definitions = Vec::with_capacity(specs.len());
        let mut missing: Vec<&str> = Vec::new();
        for spec in specs {
            let id = spec.definition_id.as_str();
            match self.rows.definition(id).await? {
                Some(row) => definitions.push(row),
                None if missing.contains(&id) => {}
                None => missing.push(id),
            }
        }
        if missing.is_empty() {
            return Ok(definitions);
        }
        Err(StoreError::NotFound(format!("Model definitions not found: {}", missing.join(", "))))
    }

    async fn put_mapping(
        &mut self,
        endpoint_id: &str,
        spec: &MappingSpec,
        ordinal: i64,
        definition: &DefinitionRow,
    ) -> Result<MappingRow, StoreError> {
        let row = MappingRow {
            id: MappingId::from_random(self.inner.entropy.bits()).to_string(),
            endpoint_id: endpoint_id.to_owned(),
            definition_id: definition.id.clone(),
            weight: spec.weight,
            linkage: convert::linkage_column(spec.linkage).to_owned(),
            fallback_order: spec.fallback_order.map(i64::from),
            ordinal,
            created_at: self.now,
            created_by: self.actor(),
        };
        self.rows.put_mapping(&row).await.map_err(|error| {
            taken(error, Constraint::MappingPart, || {
                format!(
                    "Model definition '{}' is already attached to endpoint '{endpoint_id}'",
                    definition.id
                )
            })
        })?;
        self.touch(&row, &definition.provider);
        Ok(row)
    }

    pub(crate) async fn delete_mappings(
        &mut self,
        mappings: Vec<(MappingRow, DefinitionRow)>,
    ) -> Result<(), StoreError> {
        for (mapping, definition) in mappings {
            self.touch(&mapping, &definition.provider);
            self.rows.delete_mapping(&mapping.id).await?;
        }
        Ok(())
    }
}

/// What an endpoint with these mappings has even where nobody asked: a fallback that is attached is effective, and
/// several primaries share the traffic (MLflow ignores all but the first in silence; its 3.8 client cannot say).
pub(crate) fn complete(row: &mut EndpointRow, mappings: &[(MappingRow, DefinitionRow)]) {
    let count =
        |linkage| mappings.iter().filter(|(row, _)| row.linkage == convert::linkage_column(linkage)).count();
    if count(Linkage::Fallback) > 0 && row.fallback_config.is_none() {
        row.fallback_config = Some(json!(FallbackConfig::default()).to_string());
    }
    if count(Linkage::Primary) > 1 && row.routing_strategy.is_none() {
        row.routing_strategy = Some(convert::SPLIT.to_owned());
    }
}

/// What an endpoint may be given all at once.
pub(crate) fn check_models(specs: &[MappingSpec]) -> Result<(), StoreError> {
    if specs.is_empty() {
        return Err(invalid("Endpoint must have at least one model definition"));
    }
    if specs.len() > MODELS_MAX {
        return Err(too_many());
    }
    specs.iter().try_for_each(check_weight)?;
    if !specs.iter().any(|spec| spec.linkage == Linkage::Primary) {
        return Err(invalid("Endpoint must have at least one model with linkage_type PRIMARY"));
    }
    let mut seen = HashSet::new();
    match specs.iter().find(|spec| !seen.insert((&spec.definition_id, spec.linkage))) {
        None => Ok(()),
        Some(spec) => Err(StoreError::AlreadyExists(format!(
            "Model definition '{}' is given twice with linkage_type {}",
            spec.definition_id,
            convert::linkage_column(spec.linkage)
        ))),
    }
}

fn check_weight(spec: &MappingSpec) -> Result<(), StoreError> {
    if spec.weight > 0.0 && spec.weight <= WEIGHT_MAX {
        Ok(())
    } else {
        Err(invalid(format!("weight must be a number above 0 and at most {WEIGHT_MAX}")))
    }
}

fn too_many() -> StoreError {
    invalid(format!("Endpoint must have at most {MODELS_MAX} model definitions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(definition: u128, linkage: Linkage, weight: f64) -> MappingSpec {
        let definition_id = ModelDefinitionId::from_random(definition);
        MappingSpec { definition_id, linkage, weight, fallback_order: None }
    }

    #[test]
    fn models_of_an_endpoint() {
        use Linkage::{Fallback, Primary};
        assert!(check_models(&[spec(1, Primary, 0.1), spec(1, Fallback, 1.0)]).is_ok());
        assert!(matches!(check_models(&[]), Err(StoreError::Invalid(_))));
        assert!(matches!(check_models(&[spec(1, Fallback, 1.0)]), Err(StoreError::Invalid(_))));
        assert!(check_models(&[spec(1, Primary, WEIGHT_MAX)]).is_ok());
        for weight in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, 1e308, 1_000_000.5] {
            assert!(matches!(check_models(&[spec(1, Primary, weight)]), Err(StoreError::Invalid(_))));
        }
        let twice = check_models(&[spec(1, Primary, 1.0), spec(1, Primary, 2.0)]);
        assert!(matches!(twice, Err(StoreError::AlreadyExists(_))));
        let many: Vec<_> = (0..101).map(|definition| spec(definition, Primary, 1.0)).collect();
        assert!(check_models(&many[..100]).is_ok());
        assert!(matches!(check_models(&many), Err(StoreError::Invalid(_))));
    }
}
