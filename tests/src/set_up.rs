//! How the roles are spread over servers.

use std::{net::SocketAddr, path::Path, sync::Arc};

use convene::{
    Node,
    config::{Config, Simulator as SimulatorAt},
    node::{DevelopmentKey, Ports},
    roles::RoleName,
};
use convene_kit::probe::Probe;
use convene_simulator::{Simulator, SimulatorConfig};
use futures_util::future::join_all;

/// A port that the system chooses.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// How the roles are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUp {
    /// All in one node; roles call each other through pipes.
    Embedded,
    /// Each a node of its own; they call each other over TCP.
    Split,
}

/// The running roles, and the simulator.
pub struct Running {
    nodes: Vec<Node>,
    simulator: Option<Simulator>,
    /// Names and addresses of roles that listen.
    pub(crate) roles: Vec<(RoleName, String)>,
}

impl SetUp {
    /// Starts everything in this folder; a probe disturbs one process only.
    pub(crate) async fn start(self, folder: &Path, probe: Option<Arc<dyn Probe>>) -> Running {
        match self {
            Self::Embedded => {
                let config = Config::embedded(folder.to_owned());
                let node = Node::start_with(config, probe).await;
                Running {
                    nodes: vec![node.unwrap()],
                    simulator: None,
                    roles: Vec::new(),
                }
            }
            Self::Split => split(folder).await,
        }
    }
}

async fn split(folder: &Path) -> Running {
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
        ..Config::embedded(folder.to_owned())
    };
    config.listen = RoleName::all()
        .into_iter()
        .map(|role| (role, ANY))
        .collect();
    // Every port is known before anybody starts.
    let mut bound = Vec::new();
    for role in RoleName::all() {
        let ports = Ports::bind(&config, &[role], None).await.unwrap();
        let address = ports.of(role).unwrap();
        config.peers.insert(role, vec![address.to_string()]);
        bound.push((role, ports));
    }
    // Those that call come first: they find nobody and go on when their peers are there.
    let mut nodes = Vec::new();
    for (role, ports) in bound.into_iter().rev() {
        nodes.push(Node::serve(config.clone(), &[role], ports).await.unwrap());
    }
    let listen = |(role, addresses): (_, Vec<String>)| {
        let address = format!("http://{}", addresses[0]);
        (role, address)
    };
    Running {
        nodes,
        simulator: Some(simulator),
        roles: config.peers.into_iter().map(listen).collect(),
    }
}

impl Running {
    /// Address of the gateway, and the development admin.
    pub(crate) fn gateway(&self) -> (String, &DevelopmentKey) {
        let gateway = self.nodes.iter().find(|node| !node.url().is_empty());
        let gateway = gateway.unwrap();
        (gateway.url(), gateway.development().unwrap())
    }

    /// Addresses of operators' doors, of the gateway's process first.
    pub(crate) fn operations(&self) -> Vec<String> {
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|node| node.url().is_empty());
        nodes.into_iter().map(Node::operations_url).collect()
    }

    /// The simulator.
    pub(crate) fn simulator(&self) -> &Simulator {
        let own = self.simulator.as_ref();
        own.or_else(|| self.nodes[0].simulator()).unwrap()
    }

    /// Stops everything; a failed role fails the test.
    pub(crate) async fn stop(self) {
        for stopped in join_all(self.nodes.into_iter().map(Node::stop)).await {
            stopped.unwrap();
        }
        if let Some(simulator) = self.simulator {
            simulator.shutdown().await;
        }
    }
}
