//! Trace context on its way in: every call runs in a span that its headers say the parent of.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::Either;
use tonic::{
    codegen::{Service, http},
    server::NamedService,
};
use tracing::{Instrument as _, Span, instrument::Instrumented};

/// Makes the span of a call from the headers it came with (`traceparent`, `tracestate`).
pub type Extract = Arc<dyn Fn(&http::HeaderMap) -> Span + Send + Sync>;

/// A service whose calls run in the span that `extract` makes.
#[derive(Clone)]
pub(crate) struct Traced<S> {
    pub(crate) inner: S,
    pub(crate) extract: Option<Extract>,
}

impl<S: NamedService> NamedService for Traced<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for Traced<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<Instrumented<S::Future>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        match &self.extract {
            Some(extract) => {
                let span = extract(request.headers());
                Either::Left(self.inner.call(request).instrument(span))
            }
            None => Either::Right(self.inner.call(request)),
        }
    }
}
