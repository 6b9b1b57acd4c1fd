//! `convene simulator`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use convene_kit::Result;
use convene_simulator::{EVENT_GRID_PORT, Https, SimulatorConfig};

use crate::{command::simulator, config};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Simulator {
    #[command(subcommand)]
    command: Option<SimulatorCommand>,
    /// Where it listens; loopback only
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], config::SIMULATOR_PORT)))]
    listen: SocketAddr,
    /// Where it listens over HTTPS, which official clients want; loopback only [default: 127.0.0.1:8791, any port when --listen names any]
    #[arg(long)]
    https_listen: Option<SocketAddr>,
    /// Folder of the certificates, made when it holds none [default: beside the state file, else in the user's cache]
    #[arg(long)]
    tls: Option<PathBuf>,
    /// Plain HTTP only
    #[arg(long, conflicts_with_all = ["https_listen", "tls"])]
    no_https: bool,
    /// Same seed, same ids and secrets
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep its world in this file; in memory only when left out
    #[arg(long)]
    state: Option<PathBuf>,
    /// Port of this machine at which Event Grid events of calls are taken, under /eventgrid
    #[arg(long, env = "ACS_EVENTGRID_PORT", default_value_t = EVENT_GRID_PORT)]
    event_grid_port: u16,
}

#[derive(Debug, Subcommand)]
enum SimulatorCommand {
    /// Print shell exports for clients; fails while no simulator answers. Use: eval "$(convene simulator env)"
    Env {
        /// Address of the simulator
        #[arg(long, default_value_t = format!("http://127.0.0.1:{}", config::SIMULATOR_PORT))]
        base: String,
        /// Addresses over plain HTTP instead of HTTPS
        #[arg(long)]
        http: bool,
    },
}

/// Runs it, or asks one that runs.
pub async fn run(wanted: Simulator) -> Result<()> {
    if let Some(SimulatorCommand::Env { base, http }) = wanted.command {
        return simulator::env(&base, http).await;
    }
    let state = wanted.state;
    let folder = wanted.tls;
    let beside = || simulator::https_beside(wanted.listen);
    let https = Https {
        listen: wanted.https_listen.unwrap_or_else(beside),
        folder: folder.unwrap_or_else(|| simulator::certificates(state.as_deref())),
    };
    simulator::serve(SimulatorConfig {
        listen: wanted.listen,
        seed: wanted.seed,
        state_file: state,
        https: (!wanted.no_https).then_some(https),
        event_grid_port: wanted.event_grid_port,
    })
    .await
}
