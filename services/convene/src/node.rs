//! A node: roles composed in one process. Their order lives here and in [`ROLES`], their wiring in [`Ways`].

mod development;
mod ports;
mod tenants;
mod ways;

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use convene_gateway as gateway;
use convene_kit::{
    Clock, Db, Deps, Error, Metrics, Result, Role,
    caller::Callers,
    clock::Offset,
    keys::Keys,
    probe::{Probe, Probed},
    role::{remember_offset, stored_offset},
    tls::{Tls, TlsFiles},
};
use convene_meeting_broker as meeting_broker;
use convene_simulator::{Simulator, SimulatorConfig};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Provider},
    operations::{self, Operations, Watched},
    roles::{Parts, ROLES, RoleName, Spec},
    simulator,
};

pub use development::DevelopmentKey;
pub use ports::Ports;
pub use tenants::make_admin_key;
pub use ways::Ways;

/// The databases of a node, by service.
pub const DATABASES: [&str; ROLES.len()] = {
    let mut names = [""; ROLES.len()];
    let mut next = 0;
    while next < names.len() {
        names[next] = ROLES[next].name;
        next += 1;
    }
    names
};

/// A running node.
pub struct Node {
    gateway: Option<SocketAddr>,
    operations: SocketAddr,
    simulator: Option<Simulator>,
    development: Option<DevelopmentKey>,
    metrics: Metrics,
    running: JoinSet<Result<()>>,
    stop: CancellationToken,
}

impl Node {
    /// Starts everything in this process: all roles, and the simulator unless a provider is configured.
    pub async fn start(config: Config) -> Result<Self> {
        Self::start_with(config, None).await
    }

    /// [`Self::start`], with a probe at the points of every role: for tests that disturb.
    pub async fn start_with(mut config: Config, probe: Option<Arc<dyn Probe>>) -> Result<Self> {
        let data = prepare(&config.data)?;
        let elsewhere = config.provider.is_some() || config.simulator.url.is_some();
        let simulator = if elsewhere {
            None
        } else {
            let config = SimulatorConfig {
                listen: config.simulator.listen,
                state_file: Some(data.join("simulator.json")),
                ..SimulatorConfig::default()
            };
            Some(simulator::start(config).await?)
        };
        if let Some(simulator) = &simulator {
            config.provider = Some(simulator::provider(&simulator.env(), &simulator.base_url()));
        }
        let roles = RoleName::all();
        let ports = Ports::bind(&config, &roles, config.tls()?.as_ref()).await?;
        Self::begin(config, &roles, ports, simulator, probe).await
    }

    /// Starts these roles, on ports that are bound.
    pub async fn serve(config: Config, roles: &[RoleName], ports: Ports) -> Result<Self> {
        prepare(&config.data)?;
        Self::begin(config, roles, ports, None, None).await
    }

    async fn begin(
        config: Config,
        roles: &[RoleName],
        mut ports: Ports,
        simulator: Option<Simulator>,
        probe: Option<Arc<dyn Probe>>,
    ) -> Result<Self> {
        let tls = config.tls()?;
        let keys = config.keys()?;
        let here = |name: &str| roles.iter().any(|role| role.as_str() == name);
        let (ways, mut accept) = Ways::lay(&config, roles, tls.as_ref())?;
        let provider = match here(meeting_broker::NAME) {
            true => Some(simulator::provider_of(&config).await?),
            false => None,
        };

        let measured = Measured {
            probe,
            metrics: Metrics::default(),
        };
        let listening = ports.operations.local_addr();
        let mut node = Self {
            gateway: ports.door(),
            operations: listening.map_err(|error| Error::internal(error.to_string()))?,
            simulator,
            development: None,
            metrics: measured.metrics.clone(),
            running: JoinSet::new(),
            stop: CancellationToken::new(),
        };
        // The gateway's offset is the master: whoever missed a move (a crash in its middle) takes it over, from here or over the wire.
        let master = match ROLES.iter().find(|spec| spec.name == gateway::NAME) {
            Some(spec) if here(gateway::NAME) => {
                Some(deps(spec, &config, &keys, Offset::default(), &measured).await?)
            }
            _ => None,
        };
        let offset = master.as_ref().map(|deps| deps.clock.offset());
        if let (Some(simulator), Some(offset)) = (&node.simulator, offset) {
            simulator.set_clock_offset_ms(offset.millis);
        }
        if let (true, Some(gateway)) = (config.development, &master) {
            node.development = Some(development::key(&config.data, gateway).await?);
        }
        let mut built = Vec::new();
        for spec in &ROLES {
            let Ok(name) = spec.name.parse::<RoleName>() else {
                continue;
            };
            let Some(incoming) = accept.remove(&name) else {
                continue;
            };
            let deps = match &master {
                Some(master) if spec.name == gateway::NAME => master.clone(),
                _ => deps(spec, &config, &keys, offset.unwrap_or_default(), &measured).await?,
            };
            let parts = Parts {
                config: &config,
                keys: &keys,
                deps,
                ways: &ways,
                provider: provider.clone(),
                simulator_control: control(&config, provider.as_ref()),
                door: ports.door.take_if(|_| spec.name == gateway::NAME),
            };
            let mut role = (spec.build)(parts).await?;
            if let Some(listener) = ports.roles.remove(&name) {
                role = role.listen(listener);
            }
            // Where business time cannot be moved there is none to wait for.
            if config.development && offset.is_none() {
                role = role.await_clock();
            }
            built.push((role, incoming));
        }
        let operations = Operations {
            metrics: measured.metrics,
            here: built.iter().map(|(role, _)| watched(role)).collect(),
            peers: ways.all(),
        };
        let serving = operations::serve(ports.operations, operations, node.stop.clone());
        node.running.spawn(serving);
        for (role, incoming) in built {
            node.running.spawn(role.run(incoming, node.stop.clone()));
        }
        node.running.spawn(keys.follow(node.stop.clone()));
        Ok(node)
    }

    /// Base address of the gateway; empty when it runs elsewhere.
    pub fn url(&self) -> String {
        self.gateway
            .map(|address| format!("http://{address}"))
            .unwrap_or_default()
    }

    /// Base address of /health, /ready and /metrics.
    pub fn operations_url(&self) -> String {
        format!("http://{}", self.operations)
    }

    /// The built-in simulator, when it runs.
    pub fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }

    /// What the process measures.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The first key of a development node, when the gateway runs here.
    pub fn development(&self) -> Option<&DevelopmentKey> {
        self.development.as_ref()
    }

    /// Waits until a role fails or `signal` comes, then stops all roles in order.
    pub async fn run_until(mut self, signal: impl Future<Output = ()>) -> Result<()> {
        let mut first = Ok(());
        tokio::select! {
            () = signal => {}
            Some(ended) = self.running.join_next() => first = flatten(ended),
        }
        self.stop().await.and(first)
    }

    /// Stops all roles and waits for them.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        let mut first = Ok(());
        while let Some(ended) = self.running.join_next().await {
            first = first.and(flatten(ended));
        }
        if let Some(simulator) = self.simulator.take() {
            simulator.shutdown().await;
        }
        first
    }
}

/// What looks into the roles of a process from outside.
struct Measured {
    probe: Option<Arc<dyn Probe>>,
    metrics: Metrics,
}

fn watched(role: &Role) -> Watched {
    let deps = role.deps();
    Watched {
        role: role.name,
        db: deps.db.clone(),
        clock: deps.clock.clone(),
    }
}

fn flatten(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended.unwrap_or_else(|error| Err(Error::internal(format!("a role died: {error}"))))
}

/// Where the simulator's clock is moved, when the provider is one.
fn control(config: &Config, provider: Option<&Provider>) -> Option<String> {
    let provider = provider.or(config.provider.as_ref());
    let named = provider.and_then(|provider| provider.simulator_control.clone());
    named.or_else(|| config.simulator.url.clone())
}

/// Makes the data folder, for its owner only.
pub(crate) fn prepare(data: &Path) -> Result<&Path> {
    let failed = |error: std::io::Error| {
        Error::unavailable(
            "DATA_FOLDER_UNUSABLE",
            format!("the data folder {} cannot be used: {error}", data.display()),
        )
    };
    fs::create_dir_all(data).map_err(failed)?;
    fs::set_permissions(data, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    Ok(data)
}

/// A role's database, its own clock with the newest offset, and the key of callers.
async fn deps(
    spec: &Spec,
    config: &Config,
    keys: &Keys,
    master: Offset,
    measured: &Measured,
) -> Result<Deps> {
    let migrate = config.database.migrate_at_start;
    let db: Db = (spec.open)(&config.database(), spec.name, migrate).await?;
    let db = db
        .with_probe(Probed::new(spec.name, measured.probe.clone()))
        .with_metrics(&measured.metrics, spec.name);
    db.write(move |tx| Box::pin(async move { remember_offset(tx, master).await }))
        .await?;
    let clock = Clock::new(stored_offset(db.read()).await?);
    let callers = Callers::new(keys.caller()?, clock.clone());
    Ok(Deps { db, clock, callers })
}

// Files are named by the configuration; what they hold is read when a node starts.
impl Config {
    /// What this process shows to others and believes of them; nothing when it has no `[tls]`.
    pub fn tls(&self) -> Result<Option<Tls>> {
        let files = self.tls.as_ref().map(|tls| TlsFiles {
            ca: tls.ca.clone(),
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        });
        files.as_ref().map(Tls::load).transpose()
    }

    /// The keys; an embedded node makes them first.
    fn keys(&self) -> Result<Keys> {
        match &self.keys.file {
            Some(file) => Keys::open(file, false),
            None => Keys::open(&self.key_file(), true),
        }
    }

    /// Where the key file is.
    pub fn key_file(&self) -> PathBuf {
        let beside = || self.data.join("keys.json");
        self.keys.file.clone().unwrap_or_else(beside)
    }
}
