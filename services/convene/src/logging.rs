//! Where logs and traces go: logs to standard error, so that standard output stays readable for people and pipes; traces to a collector when one is configured.

use convene_kit::{Result, telemetry::Traces};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{config::Config, roles::RoleName};

/// Starts logging for the process. `RUST_LOG` overrides `default`; `CONVENE_LOG=json` writes JSON lines. Spans end in `traces`; without them they give trace ids only.
pub fn start(default: &str, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let json = std::env::var("CONVENE_LOG").is_ok_and(|format| format == "json");
    let nowhere = SdkTracerProvider::builder().build();
    let provider = traces.map_or(&nowhere, Traces::provider);
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(convene_kit::telemetry::layer(provider));
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

/// The traces of a process with these roles, when its configuration names a collector. To be called inside the process's runtime.
pub fn traces(config: &Config, roles: &[RoleName]) -> Result<Option<Traces>> {
    let Some(address) = config.telemetry.address() else {
        return Ok(None);
    };
    let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let resource = vec![
        ("service.namespace", "convene".to_owned()),
        // One role is a service of its own, several are the node.
        (
            "service.name",
            match roles.as_slice() {
                [role] => format!("convene-{role}"),
                _ => "convene".to_owned(),
            },
        ),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("convene.roles", roles.join(",")),
    ];
    Traces::to(&address, resource).map(Some)
}
