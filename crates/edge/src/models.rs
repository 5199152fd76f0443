//! Endpoints shown as a dialect's models, from the catalog in memory.

use bytes::Bytes;
use dialect::{
    Dialect, Framing,
    gemini::{Model, Route},
};
use fault::Fault;
use http::{HeaderValue, Response, header, request::Parts};
use names::RequestId;
use store::PublishedEndpoint;

use crate::{
    Edge, Problem,
    call::admit::{Admission, admit},
    problem::Face,
};

/// Answers Gemini's `models.list` and `models.get`.
pub(crate) fn answer(edge: &Edge, route: &Route, mut parts: Parts, id: &RequestId) -> Response<Bytes> {
    let face = Face::Dialect(Dialect::Gemini, Framing::Unary);
    match admit(edge, &mut parts).and_then(|admission| found(edge, route, &admission)) {
        Ok(body) => {
            let mut response = Response::new(body);
            let json = HeaderValue::from_static("application/json; charset=UTF-8");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Err(problem) => {
            edge.metrics.refused(problem.reason, face.as_str());
            problem.render(face, id)
        }
    }
}

fn found(edge: &Edge, route: &Route, admission: &Admission) -> Result<Bytes, Problem> {
    if !edge.has_started() {
        return Err(Problem::loading());
    }
    match route {
        Route::List(page) => {
            let endpoints = edge.catalog.all();
            let seen = endpoints.iter().filter(|one| speaks(edge, one) && admission.permits(one));
            Ok(page.render(seen.map(|endpoint| shown(endpoint))))
        }
        Route::Get(name) => {
            let endpoint = edge.catalog.get(name.as_str()).filter(|endpoint| speaks(edge, endpoint));
            let endpoint = endpoint.ok_or_else(|| Problem::no_endpoint(name))?;
            admission.may_call(&endpoint).map(|()| shown(&endpoint).render())
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
