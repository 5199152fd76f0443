//! Logs, traces and metrics: their set-up, their names, and the trace context that crosses process borders.
//!
//! * [`Config`] and [`start`]: the subscriber of a process. Traces leave over OTLP only where an endpoint is configured;
//!   otherwise the spans of [`SPANS`] are disabled at their call sites and cost one atomic load each.
//! * [`names`]: names of spans, attributes and metrics as constants, OpenTelemetry's GenAI conventions among them.
//! * [`TraceContext`]: W3C `traceparent`, read and written without a library on the path of a call.
//! * [`Metrics`]: the registry, with handles that are resolved once and then cost an atomic addition.
//!
//! To add another metric: a field and its registration in `metrics.rs`, its name in `names.rs`, a line in the test
//! that reads the exposition.

mod config;
mod context;
mod export;
mod histogram;
mod metrics;
mod start;

pub mod names;

pub use config::{Config, Format, Otlp};
pub use context::{TRACEPARENT, TraceContext, adopt, inject};
pub use histogram::Histogram;
pub use metrics::{CallLabels, CallMetrics, Metrics, Outcome, TokenKind};
pub use names::SPANS;
pub use prometheus_client::metrics::gauge::Gauge;
pub use start::{Running, TelemetryError, start};
