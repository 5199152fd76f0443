//! How this process is: for orchestrators, load balancers, Prometheus, and MLflow's clients.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use telemetry::Metrics;

use crate::{Edge, Problem, management::MLFLOW_VERSION};

/// Keyward's own version, beside the one of MLflow that clients compare with.
const VERSION: HeaderName = HeaderName::from_static("keyward-version");

/// A question about this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// `/livez`: does it run?
    Live,
    /// `/readyz`: should calls come here?
    Ready,
    /// `/startupz`: has it loaded what it serves?
    Started,
    /// `/health`: MLflow's; as `/livez`.
    Health,
    /// `/version`: MLflow's.
    Version,
}

impl Probe {
    /// The question that is asked at `path`.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "/livez" => Some(Self::Live),
            "/readyz" => Some(Self::Ready),
            "/startupz" => Some(Self::Started),
            "/health" => Some(Self::Health),
            "/version" => Some(Self::Version),
            _ => None,
        }
    }

    /// The answer.
    pub(crate) fn answer(self, edge: &Edge) -> Response<Bytes> {
        let (yes, said) = match self {
            Self::Live | Self::Health => (true, "OK"),
            Self::Version => return version(),
            Self::Started if edge.has_started() => (true, "OK"),
            Self::Ready if edge.is_ready() => (true, "OK"),
            Self::Ready if edge.has_started() => (false, "about to end"),
            Self::Started | Self::Ready => (false, "the endpoints are still being loaded"),
        };
        let mut response = text("text/plain; charset=utf-8", said);
        if !yes {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }
}

/// Only asking is possible here.
pub(crate) fn reads(method: &Method) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) { Ok(()) } else { Err(Problem::method("GET, HEAD")) }
}

/// What Prometheus reads.
pub(crate) fn metrics(edge: &Edge) -> Response<Bytes> {
    let metrics = &edge.metrics;
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    metrics.catalog_revision.set(gauge(edge.catalog.revision()));
    metrics.catalog_endpoints.set(gauge(edge.catalog.len() as u64));
    metrics.catalog_age.set(gauge(edge.catalog_age()));
    metrics.resting_targets.set(gauge(edge.health.resting() as u64));
    metrics.memory_bytes.set(gauge(edge.overload.pressure.resident()));
    metrics.memory_max_bytes.set(gauge(edge.overload.pressure.max().unwrap_or_default()));
    metrics.body_memory_bytes.set(gauge(edge.body_memory_held()));
    metrics.body_memory_max_bytes.set(gauge(edge.overload.body_memory));
    text(Metrics::CONTENT_TYPE, metrics.expose())
}

fn version() -> Response<Bytes> {
    let mut response = text("text/html; charset=utf-8", MLFLOW_VERSION);
    response.headers_mut().insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    response
}

fn text(content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
