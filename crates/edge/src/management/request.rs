//! From an HTTP request to what is asked: workspace, media type, size, JSON or query, then the fields.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, header, request::Parts},
};
use bytes::Bytes;
use fault::Fault;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use names::{Actor, RequestId, Workspace};
use store::Caller;

use super::{Management, fields::Fields, json, problem::Problem, query};

/// A request of one shape, and who asks. If a handler runs, all of it was understood.
pub(super) struct Asked<T> {
    pub(super) caller: Caller,
    pub(super) request: T,
}

/// A request that can be read from fields.
pub(super) trait Shape: Sized {
    /// The field in which the caller says who they are, until logins do.
    const ACTOR: Option<&'static str> = None;

    /// Takes the request out of `fields`; nothing where a mistake was noted that leaves nothing to go on with.
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// A request without fields.
pub(super) struct Anything;

impl Shape for Anything {
    fn read(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

impl<T: Shape> FromRequest<Management> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, management: &Management) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        one_workspace(&parts.headers)?;
        let mut fields = Fields::new(entries(&parts, body, management).await?);
        let actor = T::ACTOR.and_then(|field| fields.optional(field, Actor::parse));
        let read = T::read(&mut fields);
        let request = fields.finish(read)?;
        Ok(Self { caller: Caller { actor, request_id: request_id(&parts) }, request })
    }
}

/// Where the fields stand. MLflow takes those of a GET from the query, or from a body where there is no query.
async fn entries(parts: &Parts, body: Body, management: &Management) -> Result<json::Entries, Problem> {
    let queried = parts.method == Method::GET || parts.method == Method::HEAD;
    let query = parts.uri.query().unwrap_or_default();
    if queried && !query.is_empty() {
        return query::entries(query);
    }
    if !queried {
        json_body(parts)?;
    }
    let bytes = whole(body, management.config.body_bytes_max, management.config.body_wait_max).await?;
    json::object(&bytes).map_err(|error| Problem::bad_request(format!("The request body {error}.")))
}

/// Only `default` until there are tenants.
fn one_workspace(headers: &HeaderMap) -> Result<(), Problem> {
    let default = Workspace::default();
    if headers.get_all("x-mlflow-workspace").iter().all(|value| value == default.as_str()) {
        Ok(())
    } else {
        Err(Problem::bad_request(
            "Header 'X-MLFLOW-WORKSPACE' may only be 'default': workspaces are not enabled.",
        ))
    }
}

/// MLflow's check of the media type, which it makes of POST and not of DELETE.
fn json_body(parts: &Parts) -> Result<(), Problem> {
    let header = |name| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if header(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Problem::new(Fault::UnsupportedMedia, "The request body must not be compressed."));
    }
    if parts.method == Method::DELETE {
        return Ok(());
    }
    let Some(content_type) = header(header::CONTENT_TYPE) else {
        return Err(Problem::bad_request("Bad Request. Content-Type header is missing."));
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::bad_request("Bad Request. Content-Type must be one of ['application/json']."))
    }
}

/// The whole body, within a limit of bytes and of time.
async fn whole(body: Body, bytes_max: usize, wait_max: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(wait_max, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("The request body must not be longer than {bytes_max} bytes.");
            Err(Problem::new(Fault::TooLarge, message))
        }
        Ok(Err(_)) => Err(Problem::bad_request("The request body ended too early.")),
        Err(_) => {
            let message = format!("The request body did not arrive within {} s.", wait_max.as_secs());
            Err(Problem::new(Fault::RequestTimeout, message))
        }
    }
}

/// The id that the listener gave the request; one of our own where this router runs without a listener.
fn request_id(parts: &Parts) -> RequestId {
    let given = parts.extensions.get::<RequestId>().cloned();
    given.unwrap_or_else(|| RequestId::from_random(fastrand::u128(..)))
}
