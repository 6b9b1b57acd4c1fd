//! A node: roles composed in one process. Order and wiring of roles live here and nowhere else.

mod development;
mod tenants;

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use convene_gateway::{self as gateway, Gateway};
use convene_graph::GraphConfig;
use convene_kit::{
    Clock, Db, Deps, Error, Result, Role,
    caller::Callers,
    clock::Offset,
    keys::Keys,
    local::{self, Incoming},
    probe::{Probe, Probed},
    role::{remember_offset, stored_offset},
};
use convene_lobby_manager as lobby_manager;
use convene_meeting_broker as meeting_broker;
use convene_migrations as migrations;
use convene_recording_coordinator as recording_coordinator;
use convene_scheduler as scheduler;
use convene_simulator::{Simulator, SimulatorConfig};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Provider};

pub use development::DevelopmentKey;
pub use tenants::make_admin_key;

/// Calls need an address for notifications; none are taken yet, operations are asked for instead.
const CALLBACK_URI: &str = "https://callback.invalid/convene";
/// Convene's own lobby stands before the provider's: who was admitted there must not wait a second time.
const LOBBY_BYPASS: &str = "everyone";

/// The databases of a node, by service.
pub const DATABASES: [&str; 5] = [
    gateway::NAME,
    scheduler::NAME,
    meeting_broker::NAME,
    lobby_manager::NAME,
    recording_coordinator::NAME,
];

/// A running node.
pub struct Node {
    gateway: SocketAddr,
    simulator: Option<Simulator>,
    development: Option<DevelopmentKey>,
    running: JoinSet<Result<()>>,
    stop: CancellationToken,
}

impl Node {
    /// Starts everything in this process on SQLite: roles, gateway, and the simulator unless a provider is configured.
    pub async fn start(config: Config) -> Result<Self> {
        Self::start_with(config, None).await
    }

    /// [`Self::start`], with a probe at the points of every role: for tests that disturb.
    pub async fn start_with(config: Config, probe: Option<Arc<dyn Probe>>) -> Result<Self> {
        let data = prepare(&config.data)?;
        let keys = Keys::open(&data.join("keys.json"), true)?;
        let simulator = match &config.provider {
            Some(_) => None,
            None => Some(
                crate::simulator::start(SimulatorConfig {
                    listen: config.simulator.listen,
                    state_file: Some(data.join("simulator.json")),
                    ..SimulatorConfig::default()
                })
                .await?,
            ),
        };
        let provider = match (config.provider, &simulator) {
            (Some(provider), _) => provider,
            (None, Some(simulator)) => {
                crate::simulator::provider(&simulator.env(), &simulator.base_url())
            }
            (None, None) => return Err(Error::internal("neither provider nor simulator")),
        };
        let simulator_control = provider.simulator_control.clone();

        // The gateway's offset is the master: whoever missed a move (a crash in its middle) takes it over here.
        let gateway_deps = deps::<migrations::gateway::Migrator>(
            data,
            gateway::NAME,
            &keys,
            Offset::default(),
            &probe,
        )
        .await?;
        let offset = gateway_deps.clock.offset();
        if let Some(simulator) = &simulator {
            simulator.set_clock_offset_ms(offset.millis);
        }

        let (broker, broker_in) = local::pipe();
        let (lobby, lobby_in) = local::pipe();
        let (scheduler, scheduler_in) = local::pipe();
        let (recording, recording_in) = local::pipe();

        let broker_role = meeting_broker::role(
            deps::<migrations::meeting_broker::Migrator>(
                data,
                meeting_broker::NAME,
                &keys,
                offset,
                &probe,
            )
            .await?,
            broker_config(provider, &keys)?,
        )
        .await?;
        let lobby_role = lobby_manager::role(
            deps::<migrations::lobby_manager::Migrator>(
                data,
                lobby_manager::NAME,
                &keys,
                offset,
                &probe,
            )
            .await?,
            lobby_manager::Config {
                permit_key: Arc::new(keys.permit()?),
            },
            lobby_manager::Peers {
                broker: broker.clone(),
            },
        )
        .await?;
        let scheduler_role = scheduler::role(
            deps::<migrations::scheduler::Migrator>(data, scheduler::NAME, &keys, offset, &probe)
                .await?,
            scheduler::Peers {
                broker: broker.clone(),
                lobby: lobby.clone(),
            },
        )
        .await?;
        let recording_role = recording_coordinator::role(
            deps::<migrations::recording_coordinator::Migrator>(
                data,
                recording_coordinator::NAME,
                &keys,
                offset,
                &probe,
            )
            .await?,
            recording_coordinator::Config::new(data.join("artefacts")),
            recording_coordinator::Peers {
                broker: broker.clone(),
            },
        )
        .await?;

        let development = match config.development {
            true => Some(development::key(data, &gateway_deps).await?),
            false => None,
        };
        let gateway = Gateway::build(
            gateway_deps,
            gateway::Config {
                listen: config.gateway.listen,
                allow_public: config.gateway.allow_public,
                allow_clock: config.development,
                link_key: keys.link()?,
                simulator_control,
            },
            gateway::Peers {
                scheduler,
                broker,
                lobby,
                recording,
            },
        )
        .await?;

        let stop = CancellationToken::new();
        let mut node = Self {
            gateway: gateway.local_addr(),
            simulator,
            development,
            running: JoinSet::new(),
            stop,
        };
        node.serve(broker_role, broker_in);
        node.serve(lobby_role, lobby_in);
        node.serve(scheduler_role, scheduler_in);
        node.serve(recording_role, recording_in);
        node.running.spawn(gateway.run(node.stop.clone()));
        Ok(node)
    }

    fn serve(&mut self, role: Role, incoming: Incoming) {
        self.running.spawn(role.run(incoming, self.stop.clone()));
    }

    /// Base address of the gateway.
    pub fn url(&self) -> String {
        format!("http://{}", self.gateway)
    }

    /// The built-in simulator, when it runs.
    pub fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }

    /// The first key of a development node.
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

fn flatten(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended.unwrap_or_else(|error| Err(Error::internal(format!("a role died: {error}"))))
}

/// What the broker is told.
fn broker_config(provider: Provider, keys: &Keys) -> Result<meeting_broker::Config> {
    Ok(meeting_broker::Config {
        graph: GraphConfig {
            base: provider.base,
            beta_base: provider.beta_base,
            token_url: provider.token_url,
            tenant: provider.tenant,
            client_id: provider.client_id,
            client_secret: provider.client_secret,
            timeout_ms: GraphConfig::TIMEOUT_MS,
            connect_timeout_ms: GraphConfig::CONNECT_TIMEOUT_MS,
            response_bytes_max: GraphConfig::RESPONSE_BYTES_MAX,
        },
        callback_uri: CALLBACK_URI.to_owned(),
        lobby_bypass: LOBBY_BYPASS.to_owned(),
        sealer: keys.join_details()?,
        permit_public_key: keys.permit_public()?,
    })
}

/// Makes the data folder, for its owner only.
fn prepare(data: &Path) -> Result<&Path> {
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
async fn deps<M: sea_orm_migration::MigratorTrait>(
    data: &Path,
    name: &'static str,
    keys: &Keys,
    master: Offset,
    probe: &Option<Arc<dyn Probe>>,
) -> Result<Deps> {
    let db = Db::open_sqlite::<M>(data, name)
        .await?
        .with_probe(Probed::new(name, probe.clone()));
    db.write(move |tx| Box::pin(async move { remember_offset(tx, master).await }))
        .await?;
    let clock = Clock::new(stored_offset(db.read()).await?);
    let callers = Callers::new(keys.caller()?, clock.clone());
    Ok(Deps { db, clock, callers })
}
