//! A Graph-like and Entra-like cloud on your desk, over real HTTP: for development and tests, without account or network.
//!
//! It knows nothing of Convene's services; any client of the Microsoft Graph API can be pointed at it.

mod clock;
mod control;
mod entra;
mod env;
mod faults;
mod graph;
mod http_log;
mod media;
mod server;
mod state;
mod state_file;
mod world;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use env::SimulatorEnv;
use state::Shared;

/// How a simulator starts.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Where it listens; loopback only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Same seed, same ids and secrets. A state file keeps the seed that it began with.
    pub seed: u64,
    /// Where its world is kept, readable for its owner only; in memory when `None`.
    pub state_file: Option<PathBuf>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8790)),
            seed: 1,
            state_file: None,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// It would be reachable from elsewhere.
    #[error("the simulator listens on loopback only, not on {0}; use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The port is taken.
    #[error("the simulator cannot listen on {0}: {1}; stop what uses the port or choose another")]
    Listen(SocketAddr, std::io::Error),
    /// The state file is not one.
    #[error(
        "the simulator's state file {0} cannot be used: {1}; check the path and its permissions, or remove the file to begin anew"
    )]
    State(PathBuf, std::io::Error),
    /// The world could not be put into words.
    #[error("the simulator's state cannot be written: {0}")]
    Snapshot(serde_json::Error),
    /// The signing key could not be derived.
    #[error("the simulator's signing key cannot be made from this seed; choose another")]
    Key,
}

/// A running simulator; it stops when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
    stop: DropGuard,
}

impl Simulator {
    /// Listens and serves in the background.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        if !config.listen.ip().is_loopback() {
            return Err(SimulatorError::NotLoopback(config.listen));
        }
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| SimulatorError::Listen(config.listen, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| SimulatorError::Listen(config.listen, error))?;
        let shared = Arc::new(Shared::open(&config, address)?);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::serve(listener, shared.clone(), stop.clone()));
        Ok(Self {
            address,
            shared,
            serving,
            stop: stop.drop_guard(),
        })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a client needs to know.
    pub fn env(&self) -> SimulatorEnv {
        self.shared.env()
    }

    /// Sets its clock: milliseconds added to wall time. Unlike `PUT /_simulator/clock` it may go back: whoever started it knows the time.
    pub fn set_clock_offset_ms(&self, offset_ms: i64) {
        self.shared.set_clock(offset_ms);
    }

    /// Stops listening; open connections are closed.
    pub async fn shutdown(self) {
        drop(self.stop);
        // A panic of the listener has been reported by its own task.
        drop(self.serving.await);
    }
}
