//! `convene simulator`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use convene_kit::Result;
use convene_simulator::SimulatorConfig;

use super::{print, stop_signal};
use crate::config::SIMULATOR_HTTPS_PORT;

/// Where certificates are kept unless told otherwise, so that clients trust them once: beside the state file, else in the user's cache.
pub fn certificates(state: Option<&Path>) -> PathBuf {
    if let Some(state) = state {
        return state.with_extension("tls");
    }
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let cache = cache.unwrap_or_else(std::env::temp_dir);
    cache.join("convene").join("simulator-tls")
}

/// Where HTTPS is unless told otherwise: whoever takes any port for HTTP wants no fixed one beside it.
pub fn https_beside(http: SocketAddr) -> SocketAddr {
    let port = match http.port() {
        0 => 0,
        _ => SIMULATOR_HTTPS_PORT,
    };
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Runs it alone until stopped.
pub async fn serve(config: SimulatorConfig) -> Result<()> {
    let simulator = crate::simulator::start(config).await?;
    let base = simulator.base_url();
    let https = simulator.https_url();
    let https = https.map_or_else(String::new, |url| format!(" and {url}"));
    print(&format!(
        "Simulator of Graph and Entra at {base}{https}\n  control API  {base}/_simulator\n  for clients  eval \"$(convene simulator env --base {base})\"\n",
    ));
    stop_signal().await;
    simulator.shutdown().await;
    Ok(())
}

/// Prints shell exports for clients.
pub async fn env(base: &str, plain: bool) -> Result<()> {
    let scheme = if plain { "http" } else { "https" };
    let env = crate::simulator::fetch_env(base.trim_end_matches('/'), scheme).await?;
    print(&env.exports());
    Ok(())
}
