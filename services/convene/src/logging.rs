//! Where logs go: standard error, so that standard output stays readable for people and pipes.

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging for the process. `RUST_LOG` overrides `default`; `CONVENE_LOG=json` writes JSON lines.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let json = std::env::var("CONVENE_LOG").is_ok_and(|format| format == "json");
    let provider = SdkTracerProvider::builder().build();
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(convene_kit::telemetry::layer(&provider));
    let started = if json {
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .with_writer(std::io::stderr);
        registry.with(lines).try_init()
    } else {
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        registry.with(lines).try_init()
    };
    // A second start (two nodes in one test process) keeps the first.
    drop(started);
}
