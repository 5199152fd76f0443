//! Endpoints shown as a dialect's models, from the catalog in memory.

use bytes::Bytes;
use dialect::{
    Dialect, Framing,
    gemini::{Model, Route},
};
use fault::Fault;
use http::{HeaderValue, Response, header};
use names::RequestId;
use store::PublishedEndpoint;

use crate::{Edge, Problem, problem::Face};

/// Answers Gemini's `models.list` and `models.get`.
pub(crate) fn answer(edge: &Edge, route: &Route, id: &RequestId) -> Response<Bytes> {
    let face = Face::Dialect(Dialect::Gemini, Framing::Unary);
    match found(edge, route) {
        Ok(body) => {
            let mut response = Response::new(body);
            let json = HeaderValue::from_static("application/json; charset=UTF-8");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Err(problem) => {
            edge.metrics.refused(problem.reason, face.as_str());
            let endpoint = problem.asked_for.as_ref().map(names::EndpointName::as_str);
            tracing::info!(request_id = id.as_str(), endpoint, reason = problem.reason, "refused a listing");
            problem.render(face, id)
        }
    }
}

fn found(edge: &Edge, route: &Route) -> Result<Bytes, Problem> {
    if !edge.has_started() {
        return Err(Problem::loading());
    }
    match route {
        Route::List(page) => {
            let endpoints = edge.catalog.all();
            Ok(page.render(
                endpoints.iter().filter(|endpoint| speaks(edge, endpoint)).map(|endpoint| shown(endpoint)),
            ))
        }
        Route::Get(name) => {
            let endpoint = edge.catalog.get(name.as_str()).filter(|endpoint| speaks(edge, endpoint));
            endpoint.map(|endpoint| shown(&endpoint).render()).ok_or_else(|| Problem::no_endpoint(name))
        }
        Route::Call(_) => Err(Problem::new(Fault::Internal, "internal", "internal error")),
    }
}

/// Whether a call in Gemini's dialect finds a target there.
fn speaks(edge: &Edge, endpoint: &PublishedEndpoint) -> bool {
    let gemini = |provider| {
        edge.forwarders
            .get(provider)
            .is_some_and(|forwarder: &crate::Forwarder| forwarder.dialect == Dialect::Gemini)
    };
    endpoint.targets.iter().any(|target| gemini(&target.provider))
}

fn shown(endpoint: &PublishedEndpoint) -> Model<'_> {
    Model { name: &endpoint.name, description: None }
}
