//! What is behind a connection: one request in, one answer out.
//!
//! A request's target is parsed once ([`Site::lead`]); hygiene, dispatch and the call all work on what came of it.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use axum::Router;
use dialect::gemini;
use fault::Fault;
use futures_util::FutureExt as _;
use http::{HeaderValue, Method, Request, Response, Uri, Version, header, request::Parts};
use hyper::body::Incoming;
use names::RequestId;
use tower::ServiceExt as _;

use crate::{
    Edge, Outgoing, Planes, Problem,
    accept::{
        REFUSED,
        wire::{Flight, Wire},
    },
    call::{self, Arrival},
    hygiene::{self, Hosts},
    models, probes,
    probes::Probe,
    problem::{Face, REQUEST_ID},
};

/// What a listener serves, and whom.
pub(crate) struct Site {
    planes: Planes,
    management: Option<Router>,
    hosts: Hosts,
}

/// Where a request leads.
enum Lead {
    /// A call or a listing in Gemini's dialect.
    Gemini(gemini::Route),
    /// How this process is.
    Probe(Probe),
    /// The exposition of metrics.
    Metrics,
    /// The management routes.
    Management(Router),
}

impl Site {
    /// A listener bound to `bound`.
    pub(crate) fn new(planes: Planes, management: Option<Router>, hosts: Hosts) -> Self {
        Self { planes, management, hosts }
    }

    /// Where a request leads, or why nowhere.
    fn lead(&self, parts: &Parts) -> Result<Lead, Problem> {
        hygiene::check(parts, &self.hosts)?;
        let path = parts.uri.path();
        if let Some(rest) = below(path, "/gateway").filter(|_| self.planes.data) {
            return gemini(rest, parts).map(Lead::Gemini);
        }
        hygiene::path(path)?;
        let admin = self.planes.admin;
        match (Probe::at(path), &self.management) {
            // MLflow's own `/health` and `/version` are management routes: what its client reads there is theirs.
            (_, Some(router)) if admin && is_management(path) => Ok(Lead::Management(router.clone())),
            (Some(probe), _) => probes::reads(&parts.method).map(|()| Lead::Probe(probe)),
            (None, _) if admin && path == "/metrics" => probes::reads(&parts.method).map(|()| Lead::Metrics),
            (None, _) => Err(Problem::no_such_path()),
        }
    }
}

/// What follows `prefix` in `path`.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn gemini(path: &str, parts: &Parts) -> Result<gemini::Route, Problem> {
    let Some(rest) = below(path, "/gemini") else {
        hygiene::path(path)?;
        return Err(Problem::no_such_path());
    };
    let route = gemini::Route::parse(rest, parts.uri.query())?;
    let fits = match route {
        gemini::Route::Call(_) => parts.method == Method::POST,
        gemini::Route::List(_) | gemini::Route::Get(_) => matches!(parts.method, Method::GET | Method::HEAD),
    };
    if fits { Ok(route) } else { Err(Problem::method(route.allow())) }
}

fn is_management(path: &str) -> bool {
    matches!(path, "/health" | "/version")
        || below(path, "/api").is_some()
        || below(path, "/ajax-api").is_some()
}

/// The requests of one connection.
#[derive(Clone)]
pub(crate) struct Service {
    edge: Arc<Edge>,
    site: Arc<Site>,
    wire: Arc<Wire>,
}

impl Service {
    /// For the connection `wire`.
    pub(crate) fn new(edge: Arc<Edge>, site: Arc<Site>, wire: Arc<Wire>) -> Self {
        Self { edge, site, wire }
    }

    /// One request.
    async fn serve(self, request: Request<Incoming>) -> Response<Outgoing> {
        let flight = Flight::begin(&self.wire);
        let (id, version) = (self.edge.request_id(), request.version());
        let uri = request.uri().clone();
        // What a panic leaves behind is this request's own, or counted by guards that unwinding drops.
        let answered = AssertUnwindSafe(self.answer(request, &id)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| self.panicked(&uri, &id));
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            headers.insert(REQUEST_ID, id);
        }
        if version == Version::HTTP_2 {
            headers.remove(header::CONNECTION);
        }
        response.map(|body| body.holding(flight))
    }

    async fn answer(&self, request: Request<Incoming>, id: &RequestId) -> Response<Outgoing> {
        if let Some((face, problem)) = self.refused_by_the_gate(&request) {
            return self.refuse(face, &problem, id);
        }
        let (parts, body) = request.into_parts();
        match self.site.lead(&parts) {
            Err(problem) => self.refuse(Face::of(parts.uri.path(), parts.uri.query()), &problem, id),
            Ok(Lead::Gemini(gemini::Route::Call(call))) => {
                let request = Request::from_parts(parts, body);
                let wire = Some(Arc::clone(&self.wire));
                call::answer(&self.edge, Arrival { call, request, request_id: id.clone(), wire }).await
            }
            Ok(Lead::Gemini(route)) => models::answer(&self.edge, &route, parts, id).map(Outgoing::full),
            Ok(Lead::Probe(probe)) => probe.answer(&self.edge).map(Outgoing::full),
            Ok(Lead::Metrics) => probes::metrics(&self.edge).map(Outgoing::full),
            Ok(Lead::Management(router)) => manage(router, Request::from_parts(parts, body), id).await,
        }
    }

    /// A defect of the gateway's in one request is that request's end, not its neighbours'. What the panic said is the
    /// panic hook's to tell.
    fn panicked(&self, uri: &Uri, id: &RequestId) -> Response<Outgoing> {
        tracing::error!(request_id = id.as_str(), "a request was not answered: its handler panicked");
        let problem = Problem::new(Fault::Internal, "panic", "the gateway failed on this request").closing();
        self.refuse(Face::of(uri.path(), uri.query()), &problem, id)
    }

    /// What was wrong with the request that the gate's stand-in stands for.
    fn refused_by_the_gate(&self, request: &Request<Incoming>) -> Option<(Face, Problem)> {
        let refused = self.wire.refused().filter(|_| request.method().as_str() == REFUSED)?;
        let target = refused.target.as_str();
        // An absolute target's path follows its host.
        let path =
            target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        Some((Face::of(path, query), refused.violation.into()))
    }

    fn refuse(&self, face: Face, problem: &Problem, id: &RequestId) -> Response<Outgoing> {
        self.edge.metrics.refused(problem.reason, face.as_str());
        tracing::debug!(request_id = id.as_str(), reason = problem.reason, face = face.as_str(), "refused");
        problem.render(face, id).map(Outgoing::full)
    }
}

/// Hands a request to the management routes, which know it by its id in their audit log.
async fn manage(router: Router, mut request: Request<Incoming>, id: &RequestId) -> Response<Outgoing> {
    request.extensions_mut().insert(id.clone());
    match router.oneshot(request.map(axum::body::Body::new)).await {
        Ok(response) => response.map(Outgoing::routed),
        Err(never) => match never {},
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Outgoing>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.serve(request).await) })
    }
}
