//! The control API: scripts, gates and the log over HTTP, for what does not run in the same process. The README lists
//! its requests.

mod ask;

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
use crate::log::{NotSeen, Received};
use crate::script::Script;
use crate::shared::Shared;
use ask::Ask;

/// The longest script that is taken, in bytes.
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
    let ask = match Ask::read(request.uri().query()) {
        Ok(ask) => ask,
        Err(wrong) => return text(StatusCode::BAD_REQUEST, format!("{wrong}\n")),
    };
    match (request.method(), segments.as_slice()) {
        (&Method::PUT, ["script"]) => return add(shared, request).await,
        (&Method::DELETE, ["script"]) => shared.book.clear(),
        (&Method::GET, ["requests"]) => return requests(shared, &ask).await,
        (&Method::GET, ["requests", number]) => return one(shared, number, &ask, is_whole).await,
        (&Method::GET, ["requests", number, "end"]) => return one(shared, number, &ask, has_ended).await,
        (&Method::DELETE, ["requests"]) if ask.wanted == Match::any() => shared.log.forget(),
        (&Method::DELETE, ["requests"]) => shared.log.forget_some(|received| ask.wanted.matches(received)),
        (&Method::GET, ["connections"]) => return json(&shared.log.connections()),
        (&Method::GET, ["gates", name, "reached", times]) => return reached(shared, name, times, &ask).await,
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

/// A request that was read to the end of its body, or will not be any more.
fn is_whole(received: &Received) -> bool {
    received.body_complete || has_ended(received)
}

fn has_ended(received: &Received) -> bool {
    received.ended.is_some()
}

/// The requests that match, at once or when there are as many as were asked for.
async fn requests(shared: &Shared, ask: &Ask) -> Response<Full<Bytes>> {
    let what = format!("{} requests", ask.at_least);
    let found = shared.log.wait_for(ask.patience, &what, |requests, _| {
        let matching: Vec<Received> =
            requests.iter().filter(|received| ask.wanted.matches(received)).cloned().collect();
        let whole = matching.iter().filter(|received| is_whole(received)).count();
        (whole >= ask.at_least).then_some(matching)
    });
    seen(found.await)
}

/// Request `number`, when it has come as far as `far_enough` says.
async fn one(
    shared: &Shared,
    number: &str,
    ask: &Ask,
    far_enough: fn(&Received) -> bool,
) -> Response<Full<Bytes>> {
    let Ok(number) = number.parse::<u64>() else {
        return text(StatusCode::BAD_REQUEST, "requests are counted from 1\n".to_owned());
    };
    let what = format!("request {number}");
    let found = shared.log.wait_for(ask.patience, &what, |requests, _| {
        requests.iter().find(|received| received.number == number && far_enough(received)).cloned()
    });
    seen(found.await)
}

async fn reached(shared: &Shared, name: &str, times: &str, ask: &Ask) -> Response<Full<Bytes>> {
    let Ok(times) = times.parse::<u64>() else {
        return text(StatusCode::BAD_REQUEST, "a gate is reached a whole number of times\n".to_owned());
    };
    let gate = shared.book.gate(name);
    seen(gate.reached_within(ask.patience, times).await)
}

fn seen<T: Serialize>(found: Result<T, NotSeen>) -> Response<Full<Bytes>> {
    match found {
        Ok(found) => json(&found),
        Err(not_seen) => text(StatusCode::REQUEST_TIMEOUT, format!("{not_seen}\n")),
    }
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
