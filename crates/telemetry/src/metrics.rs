//! The metrics of a process, and the exposition that Prometheus reads.

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::{Histogram, names};

mod labels;

pub use labels::{CallLabels, Outcome, TokenKind};
use labels::{OutcomeLabels, ReasonLabels, TokenLabels, TokenTypeLabels};

/// Upper bounds of durations, in seconds: the GenAI conventions' advice for server duration, from 10 ms to 82 s, and
/// up to the longest call that limits allow.
const SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 300.0, 600.0];
/// Upper bounds of what the gateway itself adds, in seconds.
const OVERHEAD_SECONDS: &[f64] =
    &[0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0];
/// Upper bounds of token counts: powers of 4, as the GenAI conventions advise.
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every metric of an edge. Gauges and counters are handles: clone them, keep them, count.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<OutcomeLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    token_usage: Histograms<TokenTypeLabels>,
    duration: Histograms<CallLabels>,
    first_token: Histograms<CallLabels>,
    refusals: Family<ReasonLabels, Counter>,
    closed: Family<ReasonLabels, Counter>,
    fallbacks: Family<ReasonLabels, Counter>,
    /// From a request's arrival to its hand-over to a forwarder.
    pub overhead: Histogram,
    /// Answers whose completeness could not be read.
    pub unreadable: Counter,
    /// Streams that are open now.
    pub open_streams: Gauge,
    /// Calls that are under way now.
    pub calls_in_flight: Gauge,
    /// Connections that are open now.
    pub connections: Gauge,
    /// Connections accepted so far.
    pub connections_accepted: Counter,
    /// The revision that is served.
    pub catalog_revision: Gauge,
    /// Seconds since the served revision was reached.
    pub catalog_age: Gauge,
    /// Endpoints that are served.
    pub catalog_endpoints: Gauge,
    /// Second attempts that a retry budget did not allow.
    pub retries_withheld: Counter,
    /// Targets that rest now.
    pub resting_targets: Gauge,
    /// What the process takes of memory.
    pub memory_bytes: Gauge,
    /// What it may take.
    pub memory_max_bytes: Gauge,
    /// What bodies that are kept take.
    pub body_memory_bytes: Gauge,
    /// What they may take.
    pub body_memory_max_bytes: Gauge,
}

/// The handles of one target, resolved once: counting takes no lock and no look-up.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    /// Calls by outcome, in the order of [`Outcome::ALL`].
    calls: [Counter; Outcome::ALL.len()],
    /// Tokens by kind, in the order of [`TokenKind::ALL`].
    tokens: [Counter; TokenKind::ALL.len()],
    input: Histogram,
    output: Histogram,
    duration: Histogram,
    first_token: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with nothing counted.
    pub fn new() -> Self {
        let seconds = || Histograms::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let mut metrics = Self {
            registry: Registry::default(),
            calls: Family::default(),
            tokens: Family::default(),
            token_usage: Histograms::new_with_constructor(|| Histogram::new(TOKENS)),
            duration: seconds(),
            first_token: seconds(),
            refusals: Family::default(),
            closed: Family::default(),
            fallbacks: Family::default(),
            overhead: Histogram::new(OVERHEAD_SECONDS),
            unreadable: Counter::default(),
            open_streams: Gauge::default(),
            calls_in_flight: Gauge::default(),
            connections: Gauge::default(),
            connections_accepted: Counter::default(),
            catalog_revision: Gauge::default(),
            catalog_age: Gauge::default(),
            catalog_endpoints: Gauge::default(),
            retries_withheld: Counter::default(),
            resting_targets: Gauge::default(),
            memory_bytes: Gauge::default(),
            memory_max_bytes: Gauge::default(),
            body_memory_bytes: Gauge::default(),
            body_memory_max_bytes: Gauge::default(),
        };
        metrics.register_calls();
        metrics.register_process();
        metrics.register_limits();
        metrics
    }

    fn register_calls(&mut self) {
        let registry = &mut self.registry;
        registry.register(names::CALLS_TOTAL, "Calls by outcome", self.calls.clone());
        registry.register(names::TOKENS_TOTAL, "Tokens as the provider reported them", self.tokens.clone());
        registry.register(names::TOKEN_USAGE, "Tokens of one call", self.token_usage.clone());
        registry.register_with_unit(
            names::REQUEST_DURATION,
            "From arrival to last byte",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register_with_unit(
            names::TIME_TO_FIRST_TOKEN,
            "From arrival to the first byte of a stream",
            Unit::Seconds,
            self.first_token.clone(),
        );
        registry.register_with_unit(
            names::OVERHEAD,
            "From arrival to hand-over to a forwarder",
            Unit::Seconds,
            self.overhead.clone(),
        );
        registry.register(names::REFUSALS_TOTAL, "What the gateway itself refused", self.refusals.clone());
        registry.register(names::FALLBACKS_TOTAL, "Attempts followed by another", self.fallbacks.clone());
        registry.register(
            names::UNREADABLE_TOTAL,
            "Answers whose completeness could not be read",
            self.unreadable.clone(),
        );
        registry.register(names::OPEN_STREAMS, "Streams open now", self.open_streams.clone());
        registry.register(names::CALLS_IN_FLIGHT, "Calls under way now", self.calls_in_flight.clone());
    }

    fn register_process(&mut self) {
        let registry = &mut self.registry;
        registry.register(names::CONNECTIONS, "Client connections open now", self.connections.clone());
        registry.register(
            names::CONNECTIONS_ACCEPTED,
            "Client connections accepted",
            self.connections_accepted.clone(),
        );
        registry.register(
            names::CONNECTIONS_CLOSED,
            "Client connections closed by a limit",
            self.closed.clone(),
        );
        registry.register(names::CATALOG_REVISION, "Revision served", self.catalog_revision.clone());
        registry.register_with_unit(
            names::CATALOG_AGE,
            "Since the served revision was reached",
            Unit::Seconds,
            self.catalog_age.clone(),
        );
        registry.register(names::CATALOG_ENDPOINTS, "Endpoints served", self.catalog_endpoints.clone());
    }

    fn register_limits(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            names::RETRIES_WITHHELD,
            "Second attempts that an endpoint's retry budget did not allow",
            self.retries_withheld.clone(),
        );
        registry.register(names::RESTING_TARGETS, "Targets that rest now", self.resting_targets.clone());
        for (name, help, gauge) in [
            (names::MEMORY, "What the process takes", &self.memory_bytes),
            (
                names::MEMORY_MAX,
                "What the process may take, 0 where nothing tells it",
                &self.memory_max_bytes,
            ),
            (names::BODY_MEMORY, "What bodies that are kept take", &self.body_memory_bytes),
            (names::BODY_MEMORY_MAX, "What bodies that are kept may take", &self.body_memory_max_bytes),
        ] {
            registry.register_with_unit(name, help, Unit::Bytes, gauge.clone());
        }
    }

    /// The handles of one target. Resolve them once and keep them.
    pub fn call(&self, labels: &CallLabels) -> CallMetrics {
        let outcome =
            |outcome| self.calls.get_or_create_owned(&OutcomeLabels { call: labels.clone(), outcome });
        let kind = |kind| self.tokens.get_or_create_owned(&TokenLabels { call: labels.clone(), kind });
        let usage = |token_type| {
            let labels = TokenTypeLabels { call: labels.clone(), gen_ai_token_type: token_type };
            self.token_usage.get_or_create_owned(&labels)
        };
        CallMetrics {
            calls: Outcome::ALL.map(outcome),
            tokens: TokenKind::ALL.map(kind),
            input: usage("input"),
            output: usage("output"),
            duration: self.duration.get_or_create_owned(labels),
            first_token: self.first_token.get_or_create_owned(labels),
        }
    }

    /// Counts a refusal of the gateway's own. `reason` and `face` come from code, never from a caller.
    pub fn refused(&self, reason: &'static str, face: &'static str) {
        self.refusals.get_or_create_owned(&ReasonLabels { reason, face }).inc();
    }

    /// Counts a connection that a limit closed.
    pub fn closed(&self, reason: &'static str) {
        self.closed.get_or_create_owned(&ReasonLabels { reason, face: "connection" }).inc();
    }

    /// Counts an attempt that was followed by another one.
    pub fn fell_back(&self, reason: &'static str) {
        self.fallbacks.get_or_create_owned(&ReasonLabels { reason, face: "call" }).inc();
    }

    /// The registry, to add another room's metrics before the process serves.
    pub fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The exposition in OpenMetrics text form; its media type is [`Metrics::CONTENT_TYPE`].
    pub fn expose(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail; a metric that cannot encode itself leaves the text short.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// The media type of [`Metrics::expose`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl CallMetrics {
    /// Counts one finished call.
    pub fn finished(&self, outcome: Outcome, seconds: f64) {
        if let Some(counter) = self.calls.get(outcome as usize) {
            counter.inc();
        }
        self.duration.observe(seconds);
    }

    /// Counts the first byte of a stream.
    pub fn first_token(&self, seconds: f64) {
        self.first_token.observe(seconds);
    }

    /// Counts tokens of one kind.
    pub fn tokens(&self, kind: TokenKind, tokens: u64) {
        if let Some(counter) = self.tokens.get(kind as usize) {
            counter.inc_by(tokens);
        }
        #[expect(clippy::cast_precision_loss, reason = "buckets of powers of 4 need no precision")]
        match kind {
            TokenKind::Input => self.input.observe(tokens as f64),
            TokenKind::Output => self.output.observe(tokens as f64),
            TokenKind::Cached | TokenKind::Thoughts | TokenKind::ToolUse => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_exposed() {
        let metrics = Metrics::new();
        let labels = CallLabels {
            endpoint: "chat".into(),
            gen_ai_provider_name: "gemini".into(),
            gen_ai_request_model: "gemini-2.5-flash".into(),
            gen_ai_operation_name: "generate_content",
        };
        let call = metrics.call(&labels);
        call.finished(Outcome::Complete, 0.5);
        call.tokens(TokenKind::Input, 7);
        call.tokens(TokenKind::Thoughts, 3);
        call.first_token(0.25);
        metrics.refused("not_found", "gemini");
        metrics.closed("idle");
        metrics.fell_back("unreachable");
        let text = metrics.expose();
        for line in [
            r#"keyward_calls_total{endpoint="chat",gen_ai_provider_name="gemini",gen_ai_request_model="gemini-2.5-flash",gen_ai_operation_name="generate_content",outcome="complete"} 1"#,
            r#"kind="input"} 7"#,
            r#"kind="thoughts"} 3"#,
            r#"gen_ai_client_token_usage_sum{endpoint="chat",gen_ai_provider_name="gemini",gen_ai_request_model="gemini-2.5-flash",gen_ai_operation_name="generate_content",gen_ai_token_type="input"} 7"#,
            "gen_ai_server_request_duration_seconds_bucket{le=\"0.64\",",
            "gen_ai_server_time_to_first_token_seconds_count{",
            r#"keyward_refusals_total{reason="not_found",face="gemini"} 1"#,
            "keyward_catalog_revision 0",
            "keyward_overhead_seconds_count 0",
            // Without the bucket of everything Prometheus makes no quantile.
            r#"keyward_overhead_seconds_bucket{le="+Inf"} 0"#,
            r#"gen_ai_server_request_duration_seconds_bucket{le="+Inf",endpoint="chat""#,
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
