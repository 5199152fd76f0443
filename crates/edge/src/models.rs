//! Endpoints shown as a dialect's models, from the catalog in memory.

use std::sync::Arc;

use bytes::Bytes;
use dialect::{Dialect, Framing, Model, Page, Style};
use http::{HeaderValue, Response, header, request::Parts};
use names::{EndpointName, RequestId};
use store::PublishedEndpoint;

use crate::{
    Edge, Problem,
    call::admit::{Admission, admit},
    problem::Face,
};

/// What of the endpoints is asked for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// A page of the list.
    List(Page),
    /// One of them.
    Get(Style, EndpointName),
}

/// Answers a dialect's list of models, or one model: of the endpoints that the caller may call.
pub(crate) fn answer(edge: &Edge, wanted: &Wanted, mut parts: Parts, id: &RequestId) -> Response<Bytes> {
    let style = match wanted {
        Wanted::List(page) => page.style,
        Wanted::Get(style, _) => *style,
    };
    let face = Face::Dialect(style.dialect(), Framing::Unary);
    match admit(edge, &mut parts).and_then(|admission| found(edge, wanted, &admission)) {
        Ok(body) => {
            let mut response = Response::new(body);
            let json = HeaderValue::from_static(style.content_type());
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

fn found(edge: &Edge, wanted: &Wanted, admission: &Admission) -> Result<Bytes, Problem> {
    if !edge.has_started() {
        return Err(Problem::loading());
    }
    match wanted {
        Wanted::List(page) => {
            let endpoints = edge.catalog.all();
            let seen = |endpoint: &&Arc<PublishedEndpoint>| {
                speaks(edge, endpoint, page.style.dialect()) && admission.permits(endpoint)
            };
            Ok(page.render(endpoints.iter().filter(seen).map(|endpoint| shown(endpoint))))
        }
        Wanted::Get(style, name) => {
            let endpoint = edge.catalog.get(name.as_str());
            let endpoint = endpoint.filter(|endpoint| speaks(edge, endpoint, style.dialect()));
            let endpoint = endpoint.ok_or_else(|| Problem::no_endpoint(name))?;
            admission.may_call(&endpoint).map(|()| style.render(&shown(&endpoint)))
        }
    }
}

/// Whether a call in the dialect finds a target there.
fn speaks(edge: &Edge, endpoint: &PublishedEndpoint, dialect: Dialect) -> bool {
    let spoken = |provider| {
        edge.forwarders
            .get(provider)
            .is_some_and(|forwarder: &crate::Forwarder| forwarder.dialects.contains(&dialect))
    };
    endpoint.targets.iter().any(|target| spoken(&target.provider))
}

fn shown(endpoint: &PublishedEndpoint) -> Model<'_> {
    Model { name: &endpoint.name, description: None, created_at: endpoint.created_at }
}
