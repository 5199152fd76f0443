//! OpenTelemetry set-up, trace context, names of spans and metrics.
