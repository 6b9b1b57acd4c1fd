//! Finished spans on their way to an OpenTelemetry collector, over OTLP/gRPC: in batches, from a bounded queue, by a thread of its own. Whoever ends a span never
//! waits for the collector; what it does not take in time is dropped and counted.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Uri;
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{RetryPolicy, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanExporter,
        SpanProcessor,
    },
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::{
    error::{Error, Result},
    limits,
    metrics::Metrics,
};

/// Finished spans that wait; more are dropped.
const QUEUE_MAX: usize = 8_192;
/// Spans that are sent in one message.
const BATCH_MAX: usize = 512;
/// Longest time that a span waits for its batch, in milliseconds.
const BATCH_MS: u64 = 1_000;
/// A message that is not taken within this time is given up, in milliseconds.
const EXPORT_MS_MAX: u64 = 5_000;
/// At the end of the process what is left is sent within this time, in milliseconds.
const FLUSH_MS_MAX: u64 = 3_000;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

const EXPORTED: Outcome = Outcome {
    outcome: "exported",
};
const DROPPED: Outcome = Outcome { outcome: "dropped" };

type Counted = Family<Outcome, Counter>;

/// The traces of a process, exported. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    counted: Counted,
}

impl Traces {
    /// Exports to a collector at `address` (`http://127.0.0.1:4317`, `https://…`) under these resource attributes. Nothing connects before the first batch. To be
    /// called inside a runtime that lives as long.
    pub fn to(address: &str, resource: Vec<(&'static str, String)>) -> Result<Self> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_channel(channel(address)?)
            .with_timeout(Duration::from_millis(EXPORT_MS_MAX))
            // The queue is bounded, so a batch does not wait long for a collector that is away.
            .with_retry_policy(RetryPolicy::recommended().with_max_retries(1))
            .build()
            .map_err(|error| malformed(address).with_detail(error.to_string()))?;
        let delay = Duration::from_millis(BATCH_MS);
        Ok(Self::through(exporter, resource, delay))
    }

    fn through<E: SpanExporter + 'static>(
        exporter: E,
        resource: Vec<(&'static str, String)>,
        delay: Duration,
    ) -> Self {
        let counted = Counted::default();
        let waiting = Arc::new(AtomicUsize::new(0));
        let exporter = Counting {
            exporter,
            waiting: waiting.clone(),
            counted: counted.clone(),
            away: AtomicBool::new(false),
        };
        let config = BatchConfigBuilder::default()
            // Never full: what is too much is dropped before.
            .with_max_queue_size(QUEUE_MAX + BATCH_MAX)
            .with_max_export_batch_size(BATCH_MAX)
            .with_scheduled_delay(delay)
            .build();
        let batches = BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        let bounded = Bounded {
            batches,
            waiting,
            counted: counted.clone(),
        };
        let attributes = resource.into_iter();
        let attributes = attributes.map(|(name, value)| KeyValue::new(name, value));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(bounded)
            .with_resource(Resource::builder().with_attributes(attributes).build())
            .build();
        Self { provider, counted }
    }

    /// For [`super::layer`].
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// Shows on a metrics page what became of the spans.
    pub fn register(&self, metrics: &Metrics) {
        // Both lines are there from the beginning.
        for outcome in [EXPORTED, DROPPED] {
            drop(self.counted.get_or_create(&outcome));
        }
        metrics.register(|to| {
            to.register(
                "telemetry_spans",
                "Finished spans by what became of them: exported to the collector, or dropped because it was away or too slow",
                self.counted.clone(),
            );
        });
    }

    /// Sends what is left, within bounds, and ends. Blocks: for the end of a process.
    pub fn flush(&self) {
        let patience = Duration::from_millis(FLUSH_MS_MAX);
        if let Err(error) = self.provider.shutdown_with_timeout(patience) {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

/// The way to a collector; whatever is not loopback needs TLS.
fn channel(address: &str) -> Result<Channel> {
    let uri: Uri = address.parse().map_err(|_| malformed(address))?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(malformed(address));
    };
    let endpoint = Endpoint::from_shared(address.to_owned())
        .map_err(|_| malformed(address))?
        .connect_timeout(Duration::from_millis(limits::CONNECT_MS_MAX))
        .timeout(Duration::from_millis(EXPORT_MS_MAX));
    match scheme {
        "https" => endpoint
            .tls_config(ClientTlsConfig::new().ca_certificates(roots()))
            .map(|endpoint| endpoint.connect_lazy())
            .map_err(|error| malformed(address).with_detail(error.to_string())),
        "http" if is_loopback(host) => Ok(endpoint.connect_lazy()),
        "http" => Err(Error::invalid(
            "telemetry.otlp",
            "TLS_REQUIRED",
            format!("{host} is not loopback: use https, or a collector on this machine"),
        )),
        _ => Err(malformed(address)),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The certificates that this machine believes; `SSL_CERT_FILE` names others.
fn roots() -> Vec<Certificate> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let found = rustls_native_certs::load_native_certs();
    let pem = found.certs.iter().map(|der| {
        let text = STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    });
    pem.map(Certificate::from_pem).collect()
}

fn malformed(address: &str) -> Error {
    Error::invalid(
        "telemetry.otlp",
        "OTLP_ADDRESS_MALFORMED",
        format!(
            "{address} is not the address of a collector; it reads http://127.0.0.1:4317 (OTLP over gRPC)"
        ),
    )
}

/// Lets spans through to their batches as long as there is room.
#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    counted: Counted,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) < QUEUE_MAX {
            self.batches.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            self.counted.get_or_create(&DROPPED).inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what becomes of batches, and tells when the collector goes away and when it is back.
struct Counting<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    counted: Counted,
    away: AtomicBool,
}

impl<E> std::fmt::Debug for Counting<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counting")
    }
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.fetch_sub(spans, Ordering::AcqRel);
        let exported = self.exporter.export(batch).await;
        let outcome = match exported.is_ok() {
            true => EXPORTED,
            false => DROPPED,
        };
        let spans = u64::try_from(spans).unwrap_or(u64::MAX);
        self.counted.get_or_create(&outcome).inc_by(spans);
        let was_away = self.away.swap(exported.is_err(), Ordering::Relaxed);
        match &exported {
            Err(error) if !was_away => {
                tracing::warn!(%error, "the collector takes no traces; they are dropped until it does");
            }
            Ok(()) if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
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
    use std::sync::mpsc::{Receiver, Sender, channel};

    use opentelemetry::trace::{Tracer as _, TracerProvider as _};

    use super::*;

    /// Says how many spans came, and waits until it may go on.
    #[derive(Debug)]
    struct Gate {
        came: Sender<usize>,
        go: std::sync::Mutex<Receiver<bool>>,
    }

    impl SpanExporter for Gate {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.came.send(batch.len()).unwrap();
            match self.go.lock().unwrap().recv() {
                Ok(true) => Ok(()),
                _ => Err(opentelemetry_sdk::error::OTelSdkError::InternalFailure(
                    "away".into(),
                )),
            }
        }
    }

    /// A collector that hangs keeps nobody waiting: the queue takes so many, and what is too much is counted.
    #[test]
    fn too_many_spans_are_dropped_and_counted() {
        let (came, comes) = channel();
        let (goes, go) = channel();
        let gate = Gate {
            came,
            go: std::sync::Mutex::new(go),
        };
        // Batches leave when they are full, not by time.
        let traces = Traces::through(gate, Vec::new(), Duration::from_secs(3_600));
        let tracer = traces.provider().tracer("test");
        let end = |spans: usize| (0..spans).for_each(|_| drop(tracer.start("span")));
        end(BATCH_MAX);
        assert_eq!(comes.recv().unwrap(), BATCH_MAX);
        // The first batch hangs; the queue behind it fills.
        let too_much = 100;
        end(QUEUE_MAX + too_much);
        let count = |outcome| traces.counted.get_or_create(&outcome).get();
        assert_eq!(count(DROPPED), too_much as u64);
        assert_eq!(count(EXPORTED), 0);
        // The first is taken, the rest fails: everything is accounted for.
        goes.send(true).unwrap();
        drop(goes);
        traces.flush();
        let first = BATCH_MAX as u64;
        assert_eq!(count(EXPORTED), first);
        assert_eq!(count(DROPPED), (QUEUE_MAX + too_much) as u64);
    }

    #[tokio::test]
    async fn an_address_that_is_not_loopback_needs_tls() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for address in [
            "http://127.0.0.1:4317",
            "http://[::1]:4317",
            "http://localhost:1",
        ] {
            channel_of(address).unwrap();
        }
        channel_of("https://collector.example:4317").unwrap();
        for (address, reason) in [
            ("http://collector.example:4317", "TLS_REQUIRED"),
            ("http://10.0.0.1:4317", "TLS_REQUIRED"),
            ("127.0.0.1:4317", "OTLP_ADDRESS_MALFORMED"),
            ("ftp://127.0.0.1:4317", "OTLP_ADDRESS_MALFORMED"),
            ("", "OTLP_ADDRESS_MALFORMED"),
        ] {
            assert_eq!(channel_of(address).unwrap_err().reason, reason, "{address}");
        }
    }

    fn channel_of(address: &str) -> Result<Channel> {
        super::channel(address)
    }
}
