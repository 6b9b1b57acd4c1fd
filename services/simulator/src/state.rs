//! What all requests share: the world behind a lock, its clock, faults, and the log.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    SimulatorConfig, SimulatorError,
    clock::Clock,
    env::SimulatorEnv,
    faults::Faults,
    http_log::HttpLog,
    world::{Directory, World},
};

/// The simulator's state.
#[derive(Debug)]
pub struct Shared {
    address: SocketAddr,
    /// Users, application, signing key: fixed by the seed.
    pub directory: Directory,
    /// Its clock.
    pub clock: Clock,
    /// Scripted faults.
    pub faults: Faults,
    /// What was asked.
    pub log: HttpLog,
    world: Mutex<World>,
    state_file: Option<PathBuf>,
}

impl Shared {
    /// A new world, or the one of the state file.
    pub fn open(config: &SimulatorConfig, address: SocketAddr) -> Result<Self, SimulatorError> {
        let world = match &config.state_file {
            Some(path) if path.exists() => fs::read(path)
                .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?))
                .map_err(|error| SimulatorError::State(path.clone(), error))?,
            _ => World::default(),
        };
        Ok(Self {
            address,
            directory: Directory::new(config.seed),
            clock: Clock::default(),
            faults: Faults::default(),
            log: HttpLog::default(),
            world: Mutex::new(world),
            state_file: config.state_file.clone(),
        })
    }

    /// Reads the world.
    pub fn read(&self) -> MutexGuard<'_, World> {
        // A handler that panicked left whole values behind: each is put in place in one step.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world; what is answered afterwards is on disk when there is a state file.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.read();
        let answer = change(&mut world);
        if let Some(path) = &self.state_file
            && let Err(error) = save(path, &world)
        {
            tracing::error!(%error, "the simulator's state file was not written");
        }
        answer
    }

    /// Addresses and credentials.
    pub fn env(&self) -> SimulatorEnv {
        let base = self.base_url();
        let directory = &self.directory;
        SimulatorEnv {
            graph_base: format!("{base}/v1.0"),
            graph_beta_base: format!("{base}/beta"),
            graph_token_url: format!("{base}/{}/oauth2/v2.0/token", directory.tenant),
            graph_authority: format!("{base}/{}", directory.tenant),
            graph_tenant: directory.tenant.clone(),
            graph_client_id: directory.client_id.clone(),
            graph_client_secret: directory.client_secret.clone(),
            graph_user: directory.host().id.clone(),
            graph_user_email: directory.host().principal_name.clone(),
            graph_denied_user: directory.denied().id.clone(),
        }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Written beside and renamed, so that a crash leaves the old world or the new one.
fn save(path: &PathBuf, world: &World) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&serde_json::to_vec(world)?)?;
    fs::rename(&beside, path)
}
