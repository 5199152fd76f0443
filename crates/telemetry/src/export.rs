//! Spans that do not reach their collector are told of in the log: once when it begins, once when it is over.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

/// An exporter whose failures are seen.
#[derive(Debug)]
pub(crate) struct Watched<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E> Watched<E> {
    /// Watches `exporter`.
    pub(crate) fn new(exporter: E) -> Self {
        Self { exporter, failing: AtomicBool::new(false) }
    }

    fn tell(&self, exported: &OTelSdkResult, spans: usize) {
        let was_failing = self.failing.swap(exported.is_err(), Ordering::Relaxed);
        match exported {
            Err(error) if !was_failing => {
                tracing::warn!(
                    cause = error.to_string(),
                    spans,
                    "spans do not reach the collector and are lost"
                );
            }
            Ok(()) if was_failing => tracing::info!("spans reach the collector again"),
            _ => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.tell(&exported, spans);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        pin::pin,
        sync::{Arc, Mutex},
        task::{Context, Poll, Waker},
    };

    use opentelemetry_sdk::error::OTelSdkError;
    use tracing_subscriber::util::SubscriberInitExt as _;

    use super::*;

    /// A collector that is away while its switch is on.
    #[derive(Debug, Clone, Default)]
    struct Collector(Arc<AtomicBool>);

    impl SpanExporter for Collector {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            if self.0.load(Ordering::Relaxed) {
                return Err(OTelSdkError::InternalFailure("nobody is there".to_owned()));
            }
            Ok(())
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_collector_that_goes_and_comes_back_leaves_two_lines() {
        let (lines, collector) = (Lines::default(), Collector::default());
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _guard = subscriber.set_default();
        let watched = Watched::new(collector.clone());
        for away in [false, true, true, true, false, false] {
            collector.0.store(away, Ordering::Relaxed);
            let exported = pin!(watched.export(Vec::new())).poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(exported, Poll::Ready(said) if said.is_err() == away));
        }
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told: Vec<_> = text.lines().collect();
        assert_eq!(told.len(), 2, "{text}");
        assert!(told[0].contains("WARN") && told[0].contains("nobody is there"), "{text}");
        assert!(told[1].contains("INFO") && told[1].contains("again"), "{text}");
    }
}
