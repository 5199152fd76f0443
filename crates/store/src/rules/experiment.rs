//! Experiments: only what `set_experiment` and usage tracking need.

use std::collections::BTreeMap;

use names::Label;
use serde_json::json;

use super::{check_tag, invalid, shown, taken};
use crate::{
    Caller, Experiment, NewExperiment, StoreError, Tag,
    store::{Inner, change::Change},
    tables::{Constraint, EndpointRow, ExperimentRow, TablesError, convert},
};

/// The most tags that an experiment may be made with.
const TAGS_MAX: usize = 100;
/// The longest place of artifacts, in characters.
const LOCATION_MAX: usize = 1_000;

impl Inner {
    pub(crate) async fn create_experiment(
        &self,
        caller: &Caller,
        new: NewExperiment,
    ) -> Result<(Experiment, u64), StoreError> {
        if new.tags.len() > TAGS_MAX {
            return Err(invalid(format!("an experiment must have at most {TAGS_MAX} tags")));
        }
        new.tags.iter().try_for_each(check_tag)?;
        let location = new.artifact_location.filter(|location| !location.trim().is_empty());
        if location
            .as_ref()
            .is_some_and(|text| text.chars().count() > LOCATION_MAX || text.chars().any(char::is_control))
        {
            return Err(invalid(format!(
                "artifact_location must be at most {LOCATION_MAX} characters that can be shown"
            )));
        }
        let mut change = self.change(caller).await?;
        let row = change.put_experiment(&new.name, location, new.tags).await?;
        let detail = json!({"name": row.name});
        let revision = change.commit("experiment.create", &row.id.to_string(), detail).await?;
        Ok((convert::experiment(&row)?, revision))
    }

    pub(crate) async fn experiment(&self, id: u64) -> Result<Experiment, StoreError> {
        let mut rows = self.read().await?;
        match rows.experiment(convert::to_column(id)).await? {
            Some(row) => Ok(convert::experiment(&row)?),
            None => Err(no_such(id)),
        }
    }

    pub(crate) async fn experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        let missing =
            || StoreError::NotFound(format!("Could not find experiment with name '{}'", shown(name)));
        // What is not a name names nothing; NUL would not get past SQL.
        Label::parse(name).map_err(|_| missing())?;
        let mut rows = self.read().await?;
        Ok(convert::experiment(&rows.experiment_by_name(name).await?.ok_or_else(missing)?)?)
    }
}

impl Change<'_> {
    /// An experiment that an endpoint is to have: it is there, or none is asked for.
    pub(crate) async fn known_experiment(&mut self, id: Option<u64>) -> Result<Option<i64>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let column = convert::to_column(id);
        self.rows.experiment(column).await?.map(|_| Some(column)).ok_or_else(|| no_such(id))
    }

    /// The experiment that MLflow's client shows an endpoint's usage in: made, or taken over where the name is there.
    pub(crate) async fn usage_experiment(&mut self, endpoint: &EndpointRow) -> Result<i64, StoreError> {
        let name = format!("gateway/{}", endpoint.name);
        let label = Label::parse(&name).map_err(|error| {
            invalid(format!("the usage experiment's name, `gateway/` and the endpoint's name, {error}"))
        })?;
        let tags = [
            ("mlflow.experiment.isGateway", "true"),
            ("mlflow.experiment.sourceId", endpoint.id.as_str()),
            ("mlflow.experiment.sourceType", "GATEWAY"),
        ];
        let tags = tags.map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() });
        let Some(mut row) = self.rows.experiment_by_name(&name).await? else {
            return Ok(self.put_experiment(&label, None, tags.into()).await?.id);
        };
        let mut all = convert::experiment(&row)?.tags;
        all.extend(tags);
        row.tags = tags_column(all);
        row.last_updated_at = self.now;
        self.rows.put_experiment(&row).await?;
        Ok(row.id)
    }

    async fn put_experiment(
        &mut self,
        name: &Label,
        location: Option<String>,
        tags: Vec<Tag>,
    ) -> Result<ExperimentRow, StoreError> {
        let id = self.rows.last_experiment().await? + 1;
        let row = ExperimentRow {
            id,
            name: name.to_string(),
            // MLflow's own scheme for artifacts behind the tracking server; nothing is stored there.
            artifact_location: Some(location.unwrap_or_else(|| format!("mlflow-artifacts:/{id}"))),
            tags: tags_column(tags),
            created_at: self.now,
            last_updated_at: self.now,
        };
        let said = || format!("Experiment(name={name}) already exists.");
        let put: Result<(), TablesError> = self.rows.put_experiment(&row).await;
        put.map_err(|error| taken(error, Constraint::ExperimentName, said))?;
        Ok(row)
    }
}

/// By key; the last of a key counts.
fn tags_column(tags: Vec<Tag>) -> String {
    let by_key: BTreeMap<String, String> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let tags: Vec<Tag> = by_key.into_iter().map(|(key, value)| Tag { key, value }).collect();
    json!(tags).to_string()
}

fn no_such(id: u64) -> StoreError {
    StoreError::NotFound(format!("No Experiment with id={id} exists"))
}
