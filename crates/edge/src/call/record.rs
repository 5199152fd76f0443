//! What is kept of a call: metrics, one span and one log line, written when its answer's last byte was handed over, or
//! when the client went away.

use std::{sync::Arc, time::Duration};

use dialect::{Call, Dialect, Framing, Operation, Usage};
use http::{HeaderMap, StatusCode, Version};
use names::{EndpointName, RequestId};
use store::{PublishedEndpoint, PublishedTarget};
use telemetry::{Outcome, TokenKind, names as words};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Span, field::Empty};

use super::{
    Arrival,
    admit::{Admission, Caller},
};
use crate::{
    Edge, Problem,
    accept::wire::Wire,
    edge::{Counted, InFlight},
    overload::Place,
    problem::Face,
};

/// One call, from its arrival to its end. Dropped before it was told an outcome, the client went away.
pub(crate) struct Record {
    edge: Arc<Edge>,
    _in_flight: InFlight,
    /// What it takes of what is limited: in the process, with its key, of its endpoint.
    places: Vec<Place>,
    wire: Option<Arc<Wire>>,
    request_id: RequestId,
    version: Version,
    dialect: Dialect,
    framing: Framing,
    operation: Operation,
    masked: bool,
    began: Instant,
    span: Span,
    endpoint: Option<Arc<PublishedEndpoint>>,
    /// A name that no endpoint has.
    asked_for: Option<EndpointName>,
    caller: Option<Caller>,
    tried: Option<Arc<Counted>>,
    attempt: u32,
    status: Option<StatusCode>,
    streaming: Option<InFlight>,
    first_byte: Option<Duration>,
    bytes: u64,
    usage: Usage,
    outcome: Option<Outcome>,
    reason: Option<&'static str>,
    cause: Option<String>,
}

impl Record {
    /// A call came.
    pub(super) fn begin<B>(edge: &Arc<Edge>, arrival: &Arrival<B>) -> Self {
        let Call { dialect, operation, framing, .. } = arrival.call;
        let span = span(operation, &arrival.request_id, arrival.request.headers());
        Self {
            _in_flight: InFlight::begin(&edge.metrics.calls_in_flight),
            places: Vec::with_capacity(3),
            edge: Arc::clone(edge),
            wire: arrival.wire.clone(),
            request_id: arrival.request_id.clone(),
            version: arrival.request.version(),
            dialect,
            framing,
            operation,
            masked: false,
            began: Instant::now(),
            span,
            endpoint: None,
            asked_for: None,
            caller: None,
            tried: None,
            attempt: 0,
            status: None,
            streaming: None,
            first_byte: None,
            bytes: 0,
            usage: Usage::default(),
            outcome: None,
            reason: None,
            cause: None,
        }
    }

    /// It takes a place until its end.
    pub(super) fn takes(&mut self, place: Place) {
        self.places.push(place);
    }

    /// It is known who calls.
    pub(super) fn admitted(&mut self, admission: &Admission) {
        self.caller = Some(admission.caller.clone());
        self.masked = admission.masked && self.dialect == Dialect::Gemini;
    }

    /// The body was read, as far as it had to be.
    pub(super) fn settled(&mut self, call: &Call) {
        (self.operation, self.framing) = (call.operation, call.framing);
    }

    /// The endpoint is known, and may be called.
    pub(super) fn located(&mut self, endpoint: &Arc<PublishedEndpoint>) {
        self.endpoint = Some(Arc::clone(endpoint));
    }

    /// An attempt begins.
    pub(super) fn trying(&mut self, endpoint: &PublishedEndpoint, target: &PublishedTarget, attempt: u32) {
        if attempt == 1 {
            self.edge.metrics.overhead.observe(self.began.elapsed().as_secs_f64());
        }
        self.attempt = attempt;
        self.tried = Some(self.edge.counted(endpoint, target, self.operation));
    }

    /// A provider answered, perhaps with a refusal.
    pub(super) fn answered(&mut self, status: StatusCode, streams: bool) {
        self.status = Some(status);
        self.streaming = streams.then(|| InFlight::begin(&self.edge.metrics.open_streams));
    }

    /// No provider answered; `problem` is what the client is told.
    pub(super) fn failed(&mut self, problem: &Problem) {
        self.edge.metrics.refused(problem.reason, Face::Dialect(self.dialect, self.framing).as_str());
        self.status = StatusCode::from_u16(problem.fault.http()).ok();
        self.outcome = Some(Outcome::Failed);
        self.reason = Some(problem.reason);
        self.asked_for.clone_from(&problem.asked_for);
        self.cause = problem.cause.as_ref().map(|cause| cause.clone().into_owned());
    }

    /// Bytes of the answer go to the client.
    pub(super) fn passed(&mut self, bytes: usize) {
        if self.bytes == 0 {
            self.first_byte = Some(self.began.elapsed());
        }
        self.bytes += bytes as u64;
    }

    /// What the provider reported.
    pub(super) fn used(&mut self, usage: Usage) {
        self.usage = usage;
    }

    /// Everything was passed on.
    pub(super) fn relayed(&mut self) {
        let refused = self.status.is_some_and(|status| !status.is_success());
        self.outcome = Some(if refused { Outcome::Refused } else { Outcome::Complete });
    }

    /// The answer broke after it had begun.
    pub(super) fn broke(&mut self, reason: &'static str) {
        self.outcome = Some(Outcome::Broken);
        self.reason = Some(reason);
    }

    /// An answer ended of which nobody can say whether it is whole.
    pub(super) fn unreadable(&self) {
        self.edge.metrics.unreadable.inc();
    }

    /// Puts the call's trace context into headers for a forwarder.
    pub(super) fn inject(&self, headers: &mut HeaderMap) {
        telemetry::inject(&self.span, headers);
    }

    /// Cancelled when answers that still run must end.
    pub(super) fn ending(&self) -> Option<&CancellationToken> {
        self.wire.as_ref().map(|wire| &wire.ending)
    }

    /// The connection.
    pub(super) fn wire(&self) -> Option<Arc<Wire>> {
        self.wire.clone()
    }

    /// The request's id.
    pub(super) fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// The client's HTTP.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// The client's language, and the framing that it asked for.
    pub(super) fn asked(&self) -> (Dialect, Framing) {
        (self.dialect, self.framing)
    }

    /// The endpoint, once it is known.
    pub(super) fn endpoint(&self) -> Option<&PublishedEndpoint> {
        self.endpoint.as_deref()
    }

    /// What was asked.
    pub(super) fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether the answer's end mark cannot be counted on.
    pub(super) fn masked(&self) -> bool {
        self.masked
    }
}

/// Disabled, and then next to free, where no trace leaves.
fn span(operation: Operation, id: &RequestId, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: words::SPANS,
        "call",
        otel.kind = "server",
        otel.status_code = Empty,
        { words::OPERATION_NAME } = operation.gen_ai_name(),
        { words::ENDPOINT_NAME } = Empty,
        { words::PROVIDER_NAME } = Empty,
        { words::REQUEST_MODEL } = Empty,
        { words::USAGE_INPUT_TOKENS } = Empty,
        { words::USAGE_OUTPUT_TOKENS } = Empty,
        http.response.status_code = Empty,
        keyward.request_id = id.as_str(),
        keyward.attempt = Empty,
        keyward.outcome = Empty,
        error.type = Empty,
    );
    telemetry::adopt(&span, headers);
    span
}

// === the end ===

impl Drop for Record {
    fn drop(&mut self) {
        let outcome = self.outcome.unwrap_or(Outcome::Cancelled);
        let took = self.began.elapsed();
        self.count(outcome, took);
        self.trace(outcome);
        self.log(outcome, took);
    }
}

impl Record {
    fn count(&self, outcome: Outcome, took: Duration) {
        let Some(tried) = &self.tried else { return };
        tried.metrics.finished(outcome, took.as_secs_f64());
        if let Some(first) = self.first_byte.filter(|_| self.streaming.is_some()) {
            tried.metrics.first_token(first.as_secs_f64());
        }
        for (kind, tokens) in [
            (TokenKind::Input, self.usage.input),
            (TokenKind::Output, self.usage.output),
            (TokenKind::Cached, self.usage.cached),
            (TokenKind::Thoughts, self.usage.thoughts),
            (TokenKind::ToolUse, self.usage.tool_use),
        ] {
            if let Some(tokens) = tokens {
                tried.metrics.tokens(kind, tokens);
            }
        }
    }

    fn trace(&self, outcome: Outcome) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        if let Some(endpoint) = &self.endpoint {
            span.record(words::ENDPOINT_NAME, endpoint.name.as_str());
        }
        if let Some(tried) = &self.tried {
            span.record(words::PROVIDER_NAME, &*tried.labels.gen_ai_provider_name);
            span.record(words::REQUEST_MODEL, &*tried.labels.gen_ai_request_model);
        }
        span.record(words::USAGE_INPUT_TOKENS, self.usage.input.map(integer));
        span.record(words::USAGE_OUTPUT_TOKENS, self.usage.output.map(integer));
        span.record("http.response.status_code", self.status.map(|status| i64::from(status.as_u16())));
        span.record("keyward.attempt", i64::from(self.attempt));
        span.record("keyward.outcome", outcome.as_str());
        if let Some(reason) = self.reason {
            span.record("error.type", reason);
            span.record("otel.status_code", "ERROR");
        }
    }

    fn log(&self, outcome: Outcome, took: Duration) {
        let tried = self.tried.as_ref();
        let endpoint = self.endpoint.as_ref().map(|endpoint| &endpoint.name).or(self.asked_for.as_ref());
        tracing::info!(
            target: words::CALLS,
            request_id = self.request_id.as_str(),
            endpoint = endpoint.map(EndpointName::as_str),
            caller = self.caller.as_ref().map_or("", Caller::as_str),
            caller_key = self.caller.as_ref().and_then(Caller::key_id),
            dialect = self.dialect.as_str(),
            operation = self.operation.as_str(),
            mapping = tried.map(|tried| tried.mapping.as_str()),
            provider = tried.map(|tried| &*tried.labels.gen_ai_provider_name),
            model = tried.map(|tried| &*tried.labels.gen_ai_request_model),
            attempt = self.attempt,
            status = self.status.map(|status| status.as_u16()),
            outcome = outcome.as_str(),
            reason = self.reason,
            cause = self.cause.as_deref(),
            duration_ms = milliseconds(took),
            first_byte_ms = self.first_byte.map(milliseconds),
            bytes = self.bytes,
            tokens_input = self.usage.input,
            tokens_output = self.usage.output,
            tokens_cached = self.usage.cached,
            tokens_thoughts = self.usage.thoughts,
            tokens_tool_use = self.usage.tool_use,
            "call",
        );
    }
}

/// The layer that exports spans makes a text of every number but this kind; the conventions ask for numbers.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
