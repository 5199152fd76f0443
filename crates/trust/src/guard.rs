//! Holds every call of a listener to the table of [`crate::allowed`].

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use crate::{
    identity::Identity,
    peer::{Peer, Who},
    rules::{Allowed, allowed},
    seldom::Seldom,
};

/// Puts a [`Guard`] before the services of a listener. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct GuardLayer {
    refused: Arc<Seldom>,
}

impl GuardLayer {
    /// How many calls were refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.total()
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, refused: Arc::clone(&self.refused) }
    }
}

/// Lets calls through whose caller may make them. On a listener of plain text everybody may.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    refused: Arc<Seldom>,
}

impl<S, B> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (peer, path) = (request.extensions().get::<Peer>(), request.uri().path());
        match refusal(peer, path) {
            None => Either::Left(self.inner.call(request)),
            Some(status) => {
                if let Some(so_far) = self.refused.count() {
                    let why = status.message();
                    tracing::warn!(?peer, path, why, so_far, "a call of another service was refused");
                }
                Either::Right(ready(Ok(status.into_http())))
            }
        }
    }
}

/// Why this peer may not call this procedure.
fn refusal(peer: Option<&Peer>, path: &str) -> Option<Status> {
    let identity = match peer.map(|peer| &peer.who) {
        Some(Who::Anybody) => return None,
        Some(Who::Known(identity)) => identity,
        Some(Who::Stranger) => {
            return Some(Status::permission_denied("this certificate names no service of this trust domain"));
        }
        None => return Some(Status::permission_denied("nobody has shown who calls")),
    };
    (!may_call(identity, path)).then(|| {
        Status::permission_denied(format!("a certificate for `{identity}` gives no right to {path}"))
    })
}

fn may_call(identity: &Identity, path: &str) -> bool {
    match allowed(path) {
        None => false,
        Some(Allowed::EveryService) => true,
        Some(Allowed::Only(kinds)) => kinds.contains(&identity.kind()),
    }
}
