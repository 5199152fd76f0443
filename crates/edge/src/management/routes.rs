//! Which path and method leads to which handler: MLflow's table.

use axum::{
    Router, middleware,
    routing::{any, delete, get, patch, post},
};
use fault::Fault;

use super::{
    Management, audit, bindings, client_keys, definitions, discovery, endpoints, experiments, guard,
    mappings, problem::Problem, secrets, tags,
};

/// What MLflow's Python client calls, and what its pages call.
const PREFIXES: [&str; 2] = ["/api", "/ajax-api"];

pub(super) fn router(management: Management) -> Router {
    let mut router =
        Router::new().route("/health", get(discovery::health)).route("/version", get(discovery::version));
    for prefix in PREFIXES {
        router = router
            .nest(&format!("{prefix}/3.0/mlflow/gateway"), gateway())
            .nest(&format!("{prefix}/2.0/mlflow/experiments"), experiments())
            .nest(&format!("{prefix}/3.0/keyward"), keyward())
            .route(&format!("{prefix}/3.0/mlflow/server-info"), get(discovery::server_info))
            .route(prefix, any(unknown))
            .route(&format!("{prefix}/"), any(unknown))
            .route(&format!("{prefix}/{{*rest}}"), any(unknown));
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .route_layer(middleware::from_fn(guard::guard))
        .with_state(management)
}

/// Sections 1.4 to 1.9 of the specification; discovery is under both prefixes here, in MLflow only under `/ajax-api`.
fn gateway() -> Router<Management> {
    Router::new()
        .route("/secrets/create", post(secrets::create))
        .route("/secrets/get", get(secrets::get))
        .route("/secrets/list", get(secrets::list))
        .route("/secrets/update", post(secrets::update))
        .route("/secrets/delete", delete(secrets::delete))
        .route("/secrets/config", get(discovery::secrets_config))
        .route("/model-definitions/create", post(definitions::create))
        .route("/model-definitions/get", get(definitions::get))
        .route("/model-definitions/list", get(definitions::list))
        .route("/model-definitions/update", post(definitions::update))
        .route("/model-definitions/delete", delete(definitions::delete))
        .route("/endpoints/create", post(endpoints::create))
        .route("/endpoints/get", get(endpoints::get))
        .route("/endpoints/list", get(endpoints::list))
        .route("/endpoints/update", post(endpoints::update))
        .route("/endpoints/delete", delete(endpoints::delete))
        .route("/endpoints/models/attach", post(mappings::attach))
        .route("/endpoints/models/detach", post(mappings::detach))
        .route("/endpoints/bindings/create", post(bindings::create))
        .route("/endpoints/bindings/delete", delete(bindings::delete))
        .route("/endpoints/bindings/list", get(bindings::list))
        .route("/endpoints/set-tag", post(tags::set))
        .route("/endpoints/delete-tag", delete(tags::delete))
        .route("/supported-providers", get(discovery::supported_providers))
        .route("/supported-models", get(discovery::supported_models))
        .route("/provider-config", get(discovery::provider_config))
        .merge(not_built())
}

/// Routes of MLflow's that Keyward does not have yet: sections 1.7 and 1.8.
fn not_built() -> Router<Management> {
    Router::new()
        .route("/budgets/create", post(unsupported))
        .route("/budgets/get", get(unsupported))
        .route("/budgets/update", post(unsupported))
        .route("/budgets/delete", delete(unsupported))
        .route("/budgets/list", get(unsupported))
        .route("/budgets/windows", get(unsupported))
        .route("/guardrails/create", post(unsupported))
        .route("/guardrails/get", get(unsupported))
        .route("/guardrails/delete", delete(unsupported))
        .route("/guardrails/list", get(unsupported))
        .route("/guardrails/add-to-endpoint", post(unsupported))
        .route("/guardrails/remove-from-endpoint", delete(unsupported))
        .route("/guardrails/list-for-endpoint", get(unsupported))
        .route("/guardrails/update-config", patch(unsupported))
}

/// What MLflow does not have: Keyward's own.
fn keyward() -> Router<Management> {
    Router::new()
        .route("/audit/list", get(audit::list))
        .route("/audit/verify", get(audit::verify))
        .route("/client-keys/create", post(client_keys::create))
        .route("/client-keys/get", get(client_keys::get))
        .route("/client-keys/list", get(client_keys::list))
        .route("/client-keys/update", post(client_keys::update))
        .route("/client-keys/rotate", post(client_keys::rotate))
        .route("/client-keys/revoke", post(client_keys::revoke))
        .route("/client-keys/delete", delete(client_keys::delete))
}

fn experiments() -> Router<Management> {
    Router::new()
        .route("/get-by-name", get(experiments::get_by_name))
        .route("/get", get(experiments::get))
        .route("/create", post(experiments::create))
        .route("/search", post(experiments::search))
}

async fn unknown() -> Problem {
    Problem::new(Fault::NotFound, "No such route in the management API.")
}

async fn wrong_method() -> Problem {
    Problem::new(
        Fault::MethodNotAllowed,
        "The method is not allowed for this route; header 'Allow' names those that are.",
    )
}

async fn unsupported() -> Problem {
    Problem::new(Fault::Unsupported, "Budgets and guardrails are not built in Keyward yet.")
}
