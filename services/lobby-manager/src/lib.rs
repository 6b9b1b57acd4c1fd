//! The lobby manager: it receives guests, keeps their place, and issues the permits without which nobody gets join details (I3). Every
//! guest is told how the wait ended (I4). Plugins that are bound decide about arrivals in its own process.

mod convert;
mod jobs;
mod rpc;
mod service;
mod store;

use std::path::PathBuf;

use convene_kit::{
    Channel, Deps, Result, Role,
    feed::{Follower, follow},
    jobs::{Queue, start},
    keys::PermitKeys,
};
use convene_proto::{
    lobby::v1::lobby_manager_server::LobbyManagerServer, plugin::v1::plugins_server::PluginsServer,
};

/// Name of the role.
pub const NAME: &str = "lobby-manager";

/// What the role is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Signs permits.
    pub permit_keys: PermitKeys,
    /// Folder of compiled plugins; made with mode 0700 when the first one is.
    pub plugins_dir: PathBuf,
}

/// The way to the services below.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Meeting broker; only its feed is read.
    pub broker: Channel,
}

/// Builds the role.
pub async fn role(deps: Deps, config: Config, peers: Peers) -> Result<Role> {
    let service = service::Lobbies::new(deps.clone(), config.permit_keys);
    let plugins = service::plugins::Plugins::new(deps.clone(), config.plugins_dir);
    let asking = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::VisitWorker {
            plugins: plugins.clone(),
        },
        role: NAME,
    };
    let queue = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::LobbyWorker,
        role: NAME,
    };
    let broker = Follower {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        callers: deps.callers.clone(),
        role: NAME,
        source: "meeting-broker",
        channel: peers.broker,
        apply: service::apply_meeting_facts(),
    };
    let role = Role::new(NAME, deps.clone()).await?;
    let callers = deps.callers.clone();
    Ok(role
        .serve(LobbyManagerServer::new(rpc::Rpc::new(
            deps.callers,
            service,
        )))
        .serve(PluginsServer::new(rpc::plugins::Rpc::new(callers, plugins)))
        .task(move |stop| start(queue, stop))
        .task(move |stop| start(asking, stop))
        .task(move |stop| Box::pin(follow(broker, stop))))
}
