//! What is behind a connection: one request in, one answer out.
//!
//! A request's target is parsed once ([`Site::lead`]); hygiene, dispatch and the call all work on what came of it.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use axum::Router;
use dialect::{Call, Route};
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
    models::{self, Wanted},
    overload::Level,
    probes,
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
    /// A call of an endpoint, in whatever dialect.
    Call(Call),
    /// The endpoints, shown as models.
    Models(Wanted),
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
            return data(rest, parts);
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

/// What follows `/gateway` has a grammar of its own, dialect by dialect.
fn data(path: &str, parts: &Parts) -> Result<Lead, Problem> {
    Ok(match Route::parse(parts.method.as_str(), path, parts.uri.query())? {
        Route::Call(call) => Lead::Call(call),
        Route::List(page) => Lead::Models(Wanted::List(page)),
        Route::Get(style, name) => Lead::Models(Wanted::Get(style, name)),
    })
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
        let (method, uri) = (request.method().clone(), request.uri().clone());
        // What a panic leaves behind is this request's own, or counted by guards that unwinding drops.
        let answered = AssertUnwindSafe(self.answer(request, &id)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| self.panicked(&method, &uri, &id));
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            headers.insert(REQUEST_ID, id);
        }
        if version == Version::HTTP_2 {
            headers.remove(header::CONNECTION);
        } else if self.edge.overload.pressure.level() >= Level::Tight {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|body| body.holding(flight))
    }

    async fn answer(&self, request: Request<Incoming>, id: &RequestId) -> Response<Outgoing> {
        if let Some((asked, problem)) = self.refused_by_the_gate(&request) {
            return self.refuse(asked, &problem, id);
        }
        let (parts, body) = request.into_parts();
        match self.site.lead(&parts) {
            Err(problem) => self.refuse(Asked::of(&parts.method, &parts.uri), &problem, id),
            Ok(Lead::Call(call)) => {
                let request = Request::from_parts(parts, body);
                let wire = Some(Arc::clone(&self.wire));
                call::answer(&self.edge, Arrival { call, request, request_id: id.clone(), wire }).await
            }
            Ok(Lead::Models(wanted)) => models::answer(&self.edge, &wanted, parts, id).map(Outgoing::full),
            Ok(Lead::Probe(probe)) => probe.answer(&self.edge).map(Outgoing::full),
            Ok(Lead::Metrics) => probes::metrics(&self.edge).map(Outgoing::full),
            Ok(Lead::Management(router)) => manage(router, Request::from_parts(parts, body), id).await,
        }
    }

    /// A defect of the gateway's in one request is that request's end, not its neighbours'. What the panic said is the
    /// panic hook's to tell.
    fn panicked(&self, method: &Method, uri: &Uri, id: &RequestId) -> Response<Outgoing> {
        tracing::error!(request_id = id.as_str(), "a request was not answered: its handler panicked");
        let problem = Problem::new(Fault::Internal, "panic", "the gateway failed on this request").closing();
        self.refuse(Asked::of(method, uri), &problem, id)
    }

    /// What was wrong with the request that the gate's stand-in stands for.
    fn refused_by_the_gate(&self, request: &Request<Incoming>) -> Option<(Asked<'_>, Problem)> {
        let refused = self.wire.refused().filter(|_| request.method().as_str() == REFUSED)?;
        let target = refused.target.as_str();
        // An absolute target's path follows its host.
        let path =
            target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        Some((Asked { method: &refused.method, path, query }, refused.violation.into()))
    }

    /// What is refused here leaves no call's line, so it leaves one of its own.
    fn refuse(&self, asked: Asked<'_>, problem: &Problem, id: &RequestId) -> Response<Outgoing> {
        let face = Face::of(asked.path, asked.query);
        self.edge.metrics.refused(problem.reason, face.as_str());
        tracing::info!(
            request_id = id.as_str(),
            method = asked.method,
            path = asked.shown(),
            reason = problem.reason,
            status = problem.fault.http(),
            face = face.as_str(),
            "refused"
        );
        problem.render(face, id).map(Outgoing::full)
    }
}

/// What a refused request asked for, as it stood on the wire.
#[derive(Clone, Copy)]
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(method: &'a Method, uri: &'a Uri) -> Self {
        Self { method: method.as_str(), path: uri.path(), query: uri.query() }
    }

    /// As much of the path as a line of the log has room for. Never the query: clients put credentials there.
    fn shown(self) -> &'a str {
        const CHARACTERS: usize = 200;
        self.path.char_indices().nth(CHARACTERS).map_or(self.path, |(end, _)| &self.path[..end])
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
