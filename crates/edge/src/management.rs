//! The management REST API: MLflow's paths and objects over [`store::Admin`].
//!
//! Requests of MLflow's 3.8 and 3.17 clients are understood, answers are a superset that both parse. Where MLflow
//! answers a caller's mistake with a 5xx status, with SQL, or not at all, this answers 400 and names the field: its
//! client repeats 5xx for minutes. Source of paths, fields and texts: MLflow 3.17.2 and 3.8.1, recorded; the recordings
//! and the deliberate differences are in `tests/golden/mlflow`.
//!
//! How a request goes: `guard` → `routes` → `request::Asked` (workspace, media type, size, JSON or query, then the
//! fields of one `Shape`) → a handler of a few lines → `answer::Answer` or `problem::Problem`.

mod answer;
mod audit;
mod bindings;
mod client_keys;
mod definitions;
mod discovery;
mod endpoints;
mod experiments;
mod fields;
mod guard;
mod json;
mod mappings;
mod problem;
mod query;
mod request;
mod routes;
mod secrets;
mod shapes;
mod tags;

pub(crate) use discovery::MLFLOW_VERSION;

use std::{sync::Arc, time::Duration};

use axum::Router;
use store::Admin;

/// What an operator may change about the management API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The longest request body, in bytes. A secret of a service account is a few kilobytes.
    pub body_bytes_max: usize,
    /// How long a request body may take to arrive.
    pub body_wait_max: Duration,
}

/// The longest request body where nothing is configured: 1 MiB.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a request body may take where nothing is configured.
pub const BODY_WAIT_MAX: Duration = Duration::from_secs(30);

impl Default for Config {
    fn default() -> Self {
        Self { body_bytes_max: BODY_BYTES_MAX, body_wait_max: BODY_WAIT_MAX }
    }
}

/// What handlers share.
#[derive(Clone)]
struct Management {
    admin: Arc<dyn Admin>,
    config: Arc<Config>,
}

/// The routes under `/api` and `/ajax-api`, whole: what is unknown below them is refused here too; and `/health` and
/// `/version`. To be merged with other routers: it has no fallback of its own.
///
/// A [`names::RequestId`] among the request's extensions is what the audit log will show.
pub fn router(admin: Arc<dyn Admin>, config: Config) -> Router {
    routes::router(Management { admin, config: Arc::new(config) })
}
