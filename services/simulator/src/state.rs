//! What all requests share: the world behind a lock, its clock, faults, the log, and the state file.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use convene_acs::Resource;
use tokio::sync::Notify;

use crate::{
    SimulatorConfig, SimulatorError, acs,
    clock::Clock,
    entra::KnownTokens,
    env::{SimulatorEnv, THROTTLE_HEADER},
    faults::Faults,
    http_log::HttpLog,
    origin::Origin,
    state_file::{Snapshot, StateFile},
    throttle::{Enforcement, Throttle},
    world::{Directory, World},
};

/// The listener over TLS.
#[derive(Debug)]
pub struct Secure {
    /// As clients name it.
    pub origin: Origin,
    /// What they are told to trust.
    pub ca_file: PathBuf,
}

/// The simulator's state.
#[derive(Debug)]
pub struct Shared {
    /// The plain listener, as clients name it.
    pub origin: Origin,
    /// The one over TLS.
    pub secure: Option<Secure>,
    /// Users, application, signing key: fixed by the seed.
    pub directory: Directory,
    /// The communication resource: fixed by the seed too.
    pub resource: Resource,
    /// Port of this machine at which Event Grid events are taken.
    pub event_grid_port: u16,
    /// Something happened in calls, or their time moved.
    pub calls_moved: Notify,
    /// Its clock.
    pub clock: Clock,
    /// Scripted faults.
    pub faults: Faults,
    /// What was asked.
    pub log: HttpLog,
    /// The published limits.
    pub throttle: Throttle,
    /// Access tokens whose signature has been verified.
    pub known_tokens: KnownTokens,
    world: Mutex<World>,
    /// Rises with every change of what the state file holds.
    revision: AtomicU64,
    file: Option<StateFile>,
}

impl Shared {
    /// A new world, or the one of the state file; that one's seed wins.
    pub fn open(
        config: &SimulatorConfig,
        address: SocketAddr,
        secure: Option<Secure>,
    ) -> Result<Self, SimulatorError> {
        let file = config.state_file.clone().map(StateFile::new);
        let kept = match &file {
            Some(file) => file.load()?,
            None => None,
        };
        let snapshot = kept.unwrap_or_else(|| Snapshot::empty(config.seed));
        let mut world = snapshot.world;
        world.reindex();
        let clock = Clock::default();
        clock.set(snapshot.offset_ms);
        let shared = Self {
            origin: Origin::listener(false, address),
            secure,
            directory: Directory::new(snapshot.seed).map_err(|_| SimulatorError::Key)?,
            resource: acs::resource(snapshot.seed)?,
            event_grid_port: config.event_grid_port,
            calls_moved: Notify::new(),
            clock,
            faults: Faults::new(snapshot.seed),
            log: HttpLog::default(),
            throttle: Throttle::default(),
            known_tokens: KnownTokens::default(),
            world: Mutex::new(world),
            revision: AtomicU64::new(1),
            file,
        };
        if let Some(file) = &shared.file {
            // The seed is kept from the start, and a file that cannot be written is told at once.
            let (revision, bytes) = shared.snapshot()?;
            file.write(revision, &bytes)?;
        }
        Ok(shared)
    }

    /// Reads the world.
    pub fn read(&self) -> MutexGuard<'_, World> {
        // A handler that panicked left whole values behind: each is put in place in one step.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world. The server has it on disk before the answer goes out.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.read();
        let answer = change(&mut world);
        self.changed();
        answer
    }

    /// Moves the clock.
    pub fn set_clock(&self, offset_ms: i64) {
        let world = self.read();
        self.clock.set(offset_ms);
        self.changed();
        drop(world);
        self.calls_moved.notify_one();
    }

    /// An empty world, no faults, an empty log, and wall time.
    pub fn reset(&self) {
        self.change(|world| *world = World::default());
        self.set_clock(0);
        self.faults.clear();
        self.log.clear();
        self.throttle.enforce(Enforcement::default());
    }

    /// Under the world's lock.
    fn changed(&self) {
        self.revision.fetch_add(1, Ordering::Release);
    }

    /// Returns when all changes made before are in the state file. Many requests share one write.
    pub async fn persist(&self) -> Result<(), SimulatorError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let wanted = self.revision.load(Ordering::Acquire);
        file.reach(wanted, || self.snapshot()).await
    }

    /// The revision and its bytes.
    fn snapshot(&self) -> Result<(u64, Vec<u8>), SimulatorError> {
        let world = self.read();
        let revision = self.revision.load(Ordering::Acquire);
        let bytes = Snapshot::bytes(self.directory.seed, self.clock.offset_ms(), &world);
        Ok((revision, bytes.map_err(SimulatorError::Snapshot)?))
    }

    /// Addresses and credentials, over HTTPS when that is wanted and there.
    pub fn env(&self, secure: bool) -> SimulatorEnv {
        let secure = self.secure.as_ref().filter(|_| secure);
        let base = secure.map_or(&self.origin, |secure| &secure.origin);
        let ca = secure.map(|secure| secure.ca_file.display().to_string());
        let directory = &self.directory;
        SimulatorEnv {
            graph_base: format!("{base}/v1.0"),
            graph_beta_base: format!("{base}/beta"),
            graph_token_url: format!("{base}/{}/oauth2/v2.0/token", directory.tenant),
            graph_authority: base.to_string(),
            graph_tenant: directory.tenant.clone(),
            graph_client_id: directory.client_id.clone(),
            graph_client_secret: directory.client_secret.reveal().to_owned(),
            graph_user: directory.host().id.clone(),
            graph_user_email: directory.host().principal_name.clone(),
            graph_denied_user: directory.denied().id.clone(),
            graph_ca: ca.unwrap_or_default(),
            graph_throttle_header: THROTTLE_HEADER.to_owned(),
            graph_control: format!("{}/_simulator", self.origin),
            acs_connection_string: self.resource.keys.connection_string(&base.to_string()),
            acs_endpoint: base.to_string(),
            acs_resource_id: self.resource.id.clone(),
            acs_eventgrid_port: self.event_grid_port.to_string(),
        }
    }
}
