//! A Graph-like, Entra-like and ACS-like cloud on your desk, over real HTTP: for development and tests, without account or network.
//!
//! It knows nothing of Convene's services; any client of Microsoft Graph or of Azure Communication Services can be pointed at it.

mod acs;
mod answering;
mod clock;
mod control;
mod entra;
mod env;
mod faults;
mod graph;
mod http_log;
mod media;
mod origin;
mod pattern;
mod permissions;
mod server;
mod state;
mod state_file;
mod throttle;
mod tls;
mod world;
mod zone;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use env::SimulatorEnv;
use origin::Origin;
use server::Server;
use state::{Secure, Shared};
use tls::Tls;

/// How a simulator starts.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Where it listens; loopback only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Same seed, same ids and secrets. A state file keeps the seed that it began with.
    pub seed: u64,
    /// Where its world is kept, readable for its owner only; in memory when `None`.
    pub state_file: Option<PathBuf>,
    /// The same world over HTTPS too; over plain HTTP only when `None`.
    pub https: Option<Https>,
    /// Port of this machine at which Event Grid events are taken, under `/eventgrid`.
    pub event_grid_port: u16,
}

/// HTTPS beside plain HTTP: official clients want it.
#[derive(Clone, Debug)]
pub struct Https {
    /// Where it listens; loopback only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of the certificates; they are made when it holds none.
    pub folder: PathBuf,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8790)),
            seed: 1,
            state_file: None,
            https: None,
            event_grid_port: EVENT_GRID_PORT,
        }
    }
}

/// Where Event Grid events go unless told otherwise.
pub const EVENT_GRID_PORT: u16 = 18_590;

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
    /// No certificates.
    #[error(
        "the simulator's certificates in {0} cannot be used: {1}; check the folder and its permissions, or remove it to make new ones"
    )]
    Tls(PathBuf, std::io::Error),
    /// The world could not be put into words.
    #[error("the simulator's state cannot be written: {0}")]
    Snapshot(serde_json::Error),
    /// The signing key could not be derived.
    #[error("the simulator's signing key cannot be made from this seed; choose another")]
    Key,
    /// The key of communication tokens, which is part of the program.
    #[error("the simulator was built with a broken key: {0}")]
    BuiltInKey(convene_acs::BadKey),
}

/// A running simulator; it stops when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinSet<()>,
    stop: DropGuard,
}

impl Simulator {
    /// Listens and serves in the background.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        let (listener, address) = listen(config.listen).await?;
        let secure = match &config.https {
            Some(https) => Some((listen(https.listen).await?, Tls::open(&https.folder)?)),
            None => None,
        };
        let known = secure.as_ref().map(|((_, address), tls)| Secure {
            origin: Origin::listener(true, *address),
            ca_file: tls.ca_file.clone(),
        });
        let shared = Arc::new(Shared::open(&config, address, known)?);
        let stop = CancellationToken::new();
        let server = Server::new(shared.clone(), stop.clone());
        let mut serving = JoinSet::new();
        serving.spawn(acs::work(shared.clone(), stop.clone()));
        if let Some(((listener, address), tls)) = secure {
            let origin = Origin::listener(true, address);
            serving.spawn(server.clone().serve(listener, origin, Some(tls.config)));
        }
        let origin = shared.origin.clone();
        serving.spawn(server.serve(listener, origin, None));
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

    /// `https://127.0.0.1:<port>`, when it listens there.
    pub fn https_url(&self) -> Option<String> {
        let secure = self.shared.secure.as_ref();
        secure.map(|secure| secure.origin.to_string())
    }

    /// What a client over plain HTTP needs to know.
    pub fn env(&self) -> SimulatorEnv {
        self.shared.env(false)
    }

    /// Sets its clock: milliseconds added to wall time. Unlike `PUT /_simulator/clock` it may go back: whoever started it knows the time.
    pub fn set_clock_offset_ms(&self, offset_ms: i64) {
        self.shared.set_clock(offset_ms);
    }

    /// Stops listening; open connections are closed.
    pub async fn shutdown(self) {
        drop(self.stop);
        // A panic of the listener has been reported by its own task.
        drop(self.serving.join_all().await);
    }
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    if !wanted.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback(wanted));
    }
    let failed = |error| SimulatorError::Listen(wanted, error);
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
