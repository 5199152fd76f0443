//! Experiments: only what `mlflow.set_experiment` and the usage of endpoints need.

use axum::extract::State;
use names::Label;
use serde::Serialize;
use store::{Experiment, NewExperiment, Tag};

use super::{
    Management,
    answer::{Answer, Answered},
    endpoints,
    fields::{Choice, Fields},
    problem::Problem,
    request::{Asked, Shape},
    shapes::ExperimentShape,
    tags,
};

/// How many experiments a search answers where it is not said, and at most: MLflow's figures.
const RESULTS_DEFAULT: i32 = 1000;
const RESULTS_MAX: i32 = 50_000;
/// MLflow's `ViewType`, and whether it shows experiments that are not deleted: nothing here ever is.
const VIEWS: [Choice<bool>; 3] = [("ACTIVE_ONLY", 1, true), ("DELETED_ONLY", 2, false), ("ALL", 3, true)];

/// Which experiment, by number.
pub(super) struct Which(u64);

/// Which experiment, by name.
pub(super) struct Named(String);

/// A page of experiments.
pub(super) struct Search {
    active: bool,
    max: usize,
    offset: usize,
    unsupported: Option<&'static str>,
}

/// One experiment.
#[derive(Debug, Serialize)]
pub(super) struct One {
    experiment: ExperimentShape,
}

/// The number of a new experiment.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    experiment_id: String,
}

/// Several experiments, and where to go on.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experiments: Vec<ExperimentShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn create(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<NewExperiment>,
) -> Answered<Created> {
    let written = admin.create_experiment(&caller, request).await?;
    Ok(Answer::written(written, |experiment: Experiment| Created {
        experiment_id: experiment.id.to_string(),
    }))
}

pub(super) async fn get(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Which(id), .. }: Asked<Which>,
) -> Answered<One> {
    let experiment = admin.experiment(id).await?.into();
    Ok(Answer::read(One { experiment }))
}

pub(super) async fn get_by_name(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Named(name), .. }: Asked<Named>,
) -> Answered<One> {
    let experiment = admin.experiment_by_name(&name).await?.into();
    Ok(Answer::read(One { experiment }))
}

/// Newest first, as MLflow's default order is.
pub(super) async fn search(
    State(Management { admin, .. }): State<Management>,
    Asked { request: Search { active, max, offset, unsupported }, .. }: Asked<Search>,
) -> Answered<Page> {
    if let Some(field) = unsupported {
        let message = format!("Searching experiments by '{field}' is not built in Keyward.");
        return Err(Problem::new(fault::Fault::Unsupported, message));
    }
    let mut found = if active { admin.experiments().await? } else { Vec::new() };
    found.reverse();
    let next = offset.saturating_add(max);
    let next_page_token = (next < found.len()).then(|| next.to_string());
    let experiments = found.into_iter().skip(offset).take(max).map(Into::into).collect();
    Ok(Answer::read(Page { experiments, next_page_token }))
}

impl Shape for NewExperiment {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let artifact_location = fields.optional("artifact_location", Label::parse).map(Into::into);
        let tags: Vec<Tag> = fields.objects("tags", tags::tag).unwrap_or_default();
        Some(Self { name: name?, artifact_location, tags })
    }
}

impl Shape for Which {
    fn read(fields: &mut Fields) -> Option<Self> {
        if fields.has_exactly("experiment_id") {
            endpoints::experiment_id(fields).map(Self)
        } else {
            fields.missing("experiment_id");
            None
        }
    }
}

impl Shape for Named {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required_text("experiment_name").map(Self)
    }
}

impl Shape for Search {
    fn read(fields: &mut Fields) -> Option<Self> {
        let active = fields.choice("view_type", &VIEWS).unwrap_or(true);
        let max = fields.integer("max_results").unwrap_or(RESULTS_DEFAULT);
        if !(1..=RESULTS_MAX).contains(&max) {
            fields.invalid("max_results", &format!("must be from 1 to {RESULTS_MAX}"));
        }
        let token = fields.text("page_token").filter(|token| !token.is_empty());
        let offset = token.map_or(Some(0), |token| token.parse().ok());
        if offset.is_none() {
            fields.invalid("page_token", "must be one that a search answered");
        }
        let filter = fields.text("filter").is_some_and(|filter| !filter.is_empty());
        let order = fields.texts("order_by").is_some_and(|order| !order.is_empty());
        let unsupported = if filter { Some("filter") } else { order.then_some("order_by") };
        Some(Self { active, max: usize::try_from(max).ok()?, offset: offset?, unsupported })
    }
}
