//! Spans where a call or a change leaves the edge for another service, so that the far side's spans have a parent. Where
//! no trace is made they are disabled and cost an atomic load.

use axum::{extract::Request, middleware::Next, response::Response};
use forward::{Answer, Call, Forward, ForwardError};
use tracing::Instrument as _;

/// A forwarder behind a wire, each call in a span, child of what the edge wrote into the call's headers.
pub(super) struct Traced<F>(pub F);

#[async_trait::async_trait]
impl<F: Forward> Forward for Traced<F> {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        let span = tracing::info_span!(target: telemetry::SPANS, "forward", otel.kind = "client");
        telemetry::adopt(&span, &call.head.headers);
        self.0.forward(call).instrument(span).await
    }
}

/// A request of the management API, child of what its client sent.
pub(super) async fn management(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        target: telemetry::SPANS,
        "manage",
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        url.path = request.uri().path(),
    );
    telemetry::adopt(&span, request.headers());
    next.run(request).instrument(span).await
}
