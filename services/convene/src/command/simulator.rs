//! `convene simulator`.

use convene_kit::Result;
use convene_simulator::SimulatorConfig;

use super::{print, stop_signal};

/// Runs it alone until stopped.
pub async fn serve(config: SimulatorConfig) -> Result<()> {
    let simulator = crate::simulator::start(config).await?;
    let base = simulator.base_url();
    print(&format!(
        "Simulator of Graph and Entra at {base}\n  control API  {base}/_simulator\n  for clients  eval \"$(convene simulator env --base {base})\"\n",
    ));
    stop_signal().await;
    simulator.shutdown().await;
    Ok(())
}

/// Prints shell exports for clients.
pub async fn env(base: &str) -> Result<()> {
    let env = crate::simulator::fetch_env(base.trim_end_matches('/')).await?;
    print(&env.exports());
    Ok(())
}
