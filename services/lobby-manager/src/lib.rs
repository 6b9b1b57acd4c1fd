//! The lobby manager: it receives guests, keeps their place, and issues the permits without which nobody gets join details (I3). Every
//! guest is told how the wait ended (I4).

mod convert;
mod jobs;
mod rpc;
mod service;
mod store;

use convene_kit::{
    Channel, Deps, Result, Role,
    feed::{Follower, follow},
    jobs::{Queue, start},
    keys::PermitKeys,
};
use convene_proto::lobby::v1::lobby_manager_server::LobbyManagerServer;

/// Name of the role.
pub const NAME: &str = "lobby-manager";

/// What the role is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Signs permits.
    pub permit_keys: PermitKeys,
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
    Ok(role
        .serve(LobbyManagerServer::new(rpc::Rpc::new(
            deps.callers,
            service,
        )))
        .task(move |stop| start(queue, stop))
        .task(move |stop| Box::pin(follow(broker, stop))))
}
