//! How the roles are spread over servers.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use convene::{
    Node,
    config::{Config, Database as DatabaseAt, Simulator as SimulatorAt},
    node::{DevelopmentKey, Ports},
    roles::RoleName,
};
use convene_kit::{Database, probe::Probe};
use convene_scratch::Place;
use convene_simulator::{Simulator, SimulatorConfig};
use futures_util::future::join_all;
use secrecy::SecretString;
use tokio::sync::{Semaphore, SemaphorePermit};

/// A port that the system chooses.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Connections of one role in one node to PostgreSQL, besides two: servers allow a hundred unless told otherwise.
const CONNECTIONS: u32 = 2;
/// Set-ups with replicas hold many connections: one at a time in a process of tests.
static ALONE: Semaphore = Semaphore::const_new(1);

/// How the roles are spread.
#[derive(Clone, Debug)]
pub enum SetUp {
    /// All in one node; roles call each other through pipes.
    Embedded,
    /// Each a node of its own; they call each other over TCP.
    Split,
    /// Two nodes for each role, on one PostgreSQL database; they call whichever replica serves.
    Replicated(Place),
    /// Two whole nodes on one PostgreSQL database.
    Twice(Place),
}

/// The running roles, and the simulator.
pub struct Running {
    nodes: Vec<(Vec<RoleName>, Node)>,
    simulator: Option<Simulator>,
    /// Names and addresses of roles that listen.
    pub(crate) roles: Vec<(RoleName, String)>,
    _alone: Option<SemaphorePermit<'static>>,
}

impl SetUp {
    /// Starts everything in this folder; a probe disturbs one process only.
    pub(crate) async fn start(&self, folder: &Path, probe: Option<Arc<dyn Probe>>) -> Running {
        let each: Vec<_> = RoleName::all().into_iter().map(|role| vec![role]).collect();
        let nodes = match self {
            Self::Embedded => {
                let config = Config::embedded(folder.to_owned());
                let node = Node::start_with(config, probe).await.unwrap();
                return Running {
                    nodes: vec![(RoleName::all(), node)],
                    simulator: None,
                    roles: Vec::new(),
                    _alone: None,
                };
            }
            Self::Split => each,
            Self::Replicated(_) => [each.clone(), each].concat(),
            Self::Twice(_) => vec![RoleName::all(); 2],
        };
        let alone = match self.place() {
            Some(_) => Some(ALONE.acquire().await.unwrap()),
            None => None,
        };
        let database = match self.place().and_then(Place::server) {
            Some(server) => DatabaseAt {
                url: Some(SecretString::from(server.url())),
                connections: CONNECTIONS,
                ..DatabaseAt::default()
            },
            None => DatabaseAt::default(),
        };
        Running {
            _alone: alone,
            ..apart(folder, database, nodes).await
        }
    }

    /// Where the databases are, of a world in this folder.
    pub(crate) fn database(&self, folder: &Path) -> Database {
        match self.place() {
            Some(place) => place.database().clone(),
            None => Database::sqlite(folder),
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Replicated(place) | Self::Twice(place) => Some(place),
            Self::Embedded | Self::Split => None,
        }
    }
}

/// Nodes with these roles, each of which knows where the others are, and the simulator that all of them use.
async fn apart(folder: &Path, database: DatabaseAt, nodes: Vec<Vec<RoleName>>) -> Running {
    let simulator = Simulator::start(SimulatorConfig {
        listen: ANY,
        state_file: Some(folder.join("simulator.json")),
        ..SimulatorConfig::default()
    });
    let simulator = simulator.await.unwrap();
    let mut config = Config {
        simulator: SimulatorAt {
            url: Some(simulator.base_url()),
            ..SimulatorAt::default()
        },
        database,
        ..Config::embedded(folder.to_owned())
    };
    config.listen = RoleName::all()
        .into_iter()
        .map(|role| (role, ANY))
        .collect();
    // Every port is known before anybody starts.
    let mut bound = Vec::new();
    let mut peers: BTreeMap<RoleName, Vec<String>> = BTreeMap::new();
    for roles in nodes {
        let ports = Ports::bind(&config, &roles, None).await.unwrap();
        for role in &roles {
            let address = ports.of(*role).unwrap().to_string();
            peers.entry(*role).or_default().push(address);
        }
        bound.push((roles, ports));
    }
    config.peers = peers;
    // Those that call come first: they find nobody and go on when their peers are there.
    let mut running = Vec::new();
    for (roles, ports) in bound.into_iter().rev() {
        let node = Node::serve(config.clone(), &roles, ports).await.unwrap();
        running.push((roles, node));
    }
    let roles = config.peers.into_iter().flat_map(|(role, addresses)| {
        let addresses = addresses.into_iter();
        addresses.map(move |address| (role, format!("http://{address}")))
    });
    Running {
        nodes: running,
        simulator: Some(simulator),
        roles: roles.collect(),
        _alone: None,
    }
}

impl Running {
    /// Addresses of the gateways.
    pub(crate) fn gateways(&self) -> Vec<String> {
        let urls = self.nodes.iter().map(|(_, node)| node.url());
        urls.filter(|url| !url.is_empty()).collect()
    }

    /// The development admin.
    pub(crate) fn development(&self) -> &DevelopmentKey {
        let mut known = self.nodes.iter().filter_map(|(_, node)| node.development());
        known.next().unwrap()
    }

    /// Addresses of operators' doors, of the gateway's process first.
    pub(crate) fn operations(&self) -> Vec<String> {
        let mut nodes: Vec<_> = self.nodes.iter().map(|(_, node)| node).collect();
        nodes.sort_by_key(|node| node.url().is_empty());
        nodes.into_iter().map(Node::operations_url).collect()
    }

    /// The simulator.
    pub(crate) fn simulator(&self) -> &Simulator {
        let own = self.simulator.as_ref();
        own.or_else(|| self.nodes[0].1.simulator()).unwrap()
    }

    /// Asks one node with this role to stop, and waits for it; another must be left.
    pub(crate) async fn stop_one(&mut self, role: RoleName) {
        let with = |(roles, _): &(Vec<RoleName>, Node)| roles.contains(&role);
        assert!(self.nodes.iter().filter(|node| with(node)).count() > 1);
        let last = self.nodes.iter().rposition(with).unwrap();
        let (_, node) = self.nodes.remove(last);
        node.stop().await.unwrap();
    }

    /// Stops everything; a failed role fails the test.
    pub(crate) async fn stop(self) {
        for stopped in join_all(self.nodes.into_iter().map(|(_, node)| node.stop())).await {
            stopped.unwrap();
        }
        if let Some(simulator) = self.simulator {
            simulator.shutdown().await;
        }
    }
}
