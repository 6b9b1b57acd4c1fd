//! The simulator as the provider of this node.

use convene_kit::{Error, Result};
use convene_simulator::{Simulator, SimulatorConfig, SimulatorEnv};

use crate::config::Provider;

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
        .timeout(std::time::Duration::from_secs(3))
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
