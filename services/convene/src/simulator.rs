//! The simulator as the provider of this node.

use std::time::Duration;

use convene_kit::{Error, Result};
use convene_simulator::{Simulator, SimulatorConfig, SimulatorEnv};

use crate::config::{Config, Provider};

/// Pause before a simulator that is not there yet is asked again, in milliseconds.
const LOOK_MS: u64 = 250;

/// Starts a simulator.
pub async fn start(config: SimulatorConfig) -> Result<Simulator> {
    Simulator::start(config)
        .await
        .map_err(|error| Error::unavailable("SIMULATOR_NOT_STARTED", error.to_string()))
}

/// How the broker reaches it.
pub fn provider(env: &SimulatorEnv, base_url: &str) -> Provider {
    Provider {
        base: env.graph_base.clone(),
        beta_base: env.graph_beta_base.clone(),
        token_url: env.graph_token_url.clone(),
        tenant: env.graph_tenant.clone(),
        client_id: env.graph_client_id.clone(),
        client_secret: env.graph_client_secret.clone().into(),
        simulator_control: Some(base_url.to_owned()),
    }
}

/// The configured provider, or the simulator that runs elsewhere; that one may start later.
pub async fn provider_of(config: &Config) -> Result<Provider> {
    if let Some(provider) = &config.provider {
        return Ok(provider.clone());
    }
    let Some(base) = &config.simulator.url else {
        return Err(Error::invalid(
            "provider",
            "PROVIDER_MISSING",
            "the meeting broker needs a provider: fill in [provider], or start `convene simulator` and name it in simulator.url",
        ));
    };
    let base = base.trim_end_matches('/');
    let mut told = false;
    loop {
        match fetch_env(base, "http").await {
            Ok(env) => return Ok(provider(&env, base)),
            Err(error) if !told => tracing::warn!(%error, "waiting for the simulator"),
            Err(_) => {}
        }
        told = true;
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// The environment of a running simulator, asked over HTTP: addresses over plain HTTP, or over HTTPS where it has that.
pub async fn fetch_env(base_url: &str, scheme: &str) -> Result<SimulatorEnv> {
    let silent = |error: reqwest::Error| {
        Error::unavailable(
            "SIMULATOR_SILENT",
            format!("no simulator answers at {base_url}; start one with `convene simulator`"),
        )
        .with_detail(error.without_url().to_string())
    };
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(3))
        .build()
        .map_err(silent)?
        .get(format!("{base_url}/_simulator/env?scheme={scheme}"))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(silent)?
        .json()
        .await
        .map_err(silent)
}
