//! Starts the logs and traces of a process.

use std::{io::IsTerminal as _, time::Duration};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::FilterFn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{Config, Format, Otlp, names};

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter's directives cannot be read.
    #[error("`filter` is not a list of directives such as `info,edge=debug`")]
    Filter,
    /// The OTLP endpoint cannot be used.
    #[error("`otlp.endpoint` cannot be used for exporting traces")]
    Otlp(#[source] opentelemetry_otlp::ExporterBuildError),
    /// The share of traced calls is not between 0 and 1.
    #[error("`otlp.sample_ratio` must be between 0 and 1")]
    SampleRatio,
    /// A subscriber was installed before.
    #[error("telemetry was started twice in this process")]
    Twice,
}

/// The running telemetry of a process. Keep it until the end, then [`Running::stop`] it.
#[derive(Debug)]
pub struct Running {
    traces: Option<SdkTracerProvider>,
}

impl Running {
    /// Sends what is still to be sent, for at most `within`.
    pub fn stop(self, within: Duration) {
        if let Some(traces) = self.traces {
            // A collector that is away at the end is nobody's to repair now.
            let _ = traces.shutdown_with_timeout(within);
        }
    }
}

/// Installs the process's subscriber: log lines on standard error, and traces over OTLP where an endpoint is configured.
/// `service` names the process in traces, e.g. `keyward-edge`. To be called inside a tokio runtime.
pub fn start(config: &Config, service: &'static str) -> Result<Running, TelemetryError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|_| TelemetryError::Filter)?;
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        // Colours are for eyes: in a file or a pipe they are noise.
        Format::Text => {
            let colours = std::io::stderr().is_terminal();
            Box::new(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours))
        }
        Format::Json => {
            Box::new(tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr))
        }
    };
    let not_spans = FilterFn::new(|metadata| metadata.target() != names::SPANS);
    let logs = lines.with_filter(not_spans).with_filter(filter);
    let (traces, layer) = match &config.otlp {
        None => (None, None),
        Some(otlp) => {
            let provider = provider(otlp, service)?;
            let only_spans = FilterFn::new(|metadata| metadata.target() == names::SPANS);
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("keyward"));
            (Some(provider), Some(layer.with_filter(only_spans)))
        }
    };
    Registry::default().with(logs).with(layer).try_init().map_err(|_| TelemetryError::Twice)?;
    Ok(Running { traces })
}

fn provider(otlp: &Otlp, service: &'static str) -> Result<SdkTracerProvider, TelemetryError> {
    if !(0.0..=1.0).contains(&otlp.sample_ratio) {
        return Err(TelemetryError::SampleRatio);
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&otlp.endpoint)
        .with_timeout(Duration::from_millis(otlp.timeout_ms))
        .build()
        .map_err(TelemetryError::Otlp)?;
    let ratio = Sampler::TraceIdRatioBased(otlp.sample_ratio);
    Ok(SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_resource(Resource::builder_empty().with_service_name(service).build())
        .with_batch_exporter(exporter)
        .build())
}
