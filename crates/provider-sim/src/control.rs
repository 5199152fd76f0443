//! The control API: scripts, gates and the log over HTTP, for what does not run in the same process.
//!
//! | request | does |
//! |---|---|
//! | `PUT /script` `{"match": {…}, "script": {…}, "once": false}` | adds a script |
//! | `DELETE /script` | forgets every script |
//! | `GET /requests`, `DELETE /requests` | the log as JSON; forgets it |
//! | `GET /connections` | the connections as JSON |
//! | `POST /gates/{name}/open`, `POST /gates/{name}/pass` | opens a gate for good; for one passage |
//! | `GET /recordings` | the names of the recordings |
//! | `GET /ca.pem` | the certificate authority |

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::book::Match;
use crate::script::Script;
use crate::shared::Shared;

/// The longest script that is taken.
const SCRIPT_MAX: usize = 64 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    #[serde(default, rename = "match")]
    wanted: Match,
    #[serde(default)]
    script: Script,
    #[serde(default)]
    once: bool,
}

/// Serves the control API until it is dropped.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener, ca_pem: String) {
    let ca_pem: Arc<str> = ca_pem.into();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (shared, ca_pem) = (Arc::clone(&shared), Arc::clone(&ca_pem));
                let service = service_fn(move |request| {
                    let (shared, ca_pem) = (Arc::clone(&shared), Arc::clone(&ca_pem));
                    async move { Ok::<_, Infallible>(answer(&shared, &ca_pem, request).await) }
                });
                connections.spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(shared: &Shared, ca_pem: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::PUT, ["script"]) => return add(shared, request).await,
        (&Method::DELETE, ["script"]) => shared.book.clear(),
        (&Method::GET, ["requests"]) => return json(&shared.log.requests()),
        (&Method::DELETE, ["requests"]) => shared.log.forget(),
        (&Method::GET, ["connections"]) => return json(&shared.log.connections()),
        (&Method::POST, ["gates", name, "open"]) => shared.book.gate(name).open(),
        (&Method::POST, ["gates", name, "pass"]) => shared.book.gate(name).pass(1),
        (&Method::GET, ["recordings"]) => {
            return json(&crate::recordings().map(|(name, _)| name).collect::<Vec<_>>());
        }
        (&Method::GET, ["ca.pem"]) => return text(StatusCode::OK, ca_pem.to_owned()),
        _ => return text(StatusCode::NOT_FOUND, "no such path in the control API\n".to_owned()),
    }
    text(StatusCode::OK, String::new())
}

async fn add(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Ok(body) = Limited::new(request.into_body(), SCRIPT_MAX).collect().await else {
        return text(StatusCode::BAD_REQUEST, "the script did not come whole\n".to_owned());
    };
    match serde_json::from_slice::<Added>(&body.to_bytes()) {
        Ok(Added { wanted, script, once }) => {
            shared.book.add(wanted, script, once);
            text(StatusCode::OK, String::new())
        }
        Err(error) => text(StatusCode::BAD_REQUEST, format!("not a script: {error}\n")),
    }
}

fn json(value: &impl Serialize) -> Response<Full<Bytes>> {
    text(StatusCode::OK, serde_json::to_string_pretty(value).unwrap_or_default())
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
