//! Endpoints shown as a dialect's models, from the catalog in memory.

use bytes::Bytes;
use dialect::{Dialect, Framing, Model, Page, Style};
use http::{HeaderValue, Response, header};
use names::{EndpointName, RequestId};
use store::PublishedEndpoint;

use crate::{Edge, Problem, problem::Face};

/// What of the endpoints is asked for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// A page of the list.
    List(Page),
    /// One of them.
    Get(Style, EndpointName),
}

/// Answers a dialect's list of models, or one model.
pub(crate) fn answer(edge: &Edge, wanted: &Wanted, id: &RequestId) -> Response<Bytes> {
    let style = match wanted {
        Wanted::List(page) => page.style,
        Wanted::Get(style, _) => *style,
    };
    let face = Face::Dialect(style.dialect(), Framing::Unary);
    match found(edge, wanted) {
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

fn found(edge: &Edge, wanted: &Wanted) -> Result<Bytes, Problem> {
    if !edge.has_started() {
        return Err(Problem::loading());
    }
    match wanted {
        Wanted::List(page) => {
            let endpoints = edge.catalog.all();
            let shown = endpoints
                .iter()
                .filter(|endpoint| speaks(edge, endpoint, page.style.dialect()))
                .map(|endpoint| shown(endpoint));
            Ok(page.render(shown))
        }
        Wanted::Get(style, name) => {
            let endpoint = edge.catalog.get(name.as_str());
            let endpoint = endpoint.filter(|endpoint| speaks(edge, endpoint, style.dialect()));
            let endpoint = endpoint.ok_or_else(|| Problem::no_endpoint(name))?;
            Ok(style.render(&shown(&endpoint)))
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
