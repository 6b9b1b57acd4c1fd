//! The gateway: the only public door. GraphQL over HTTP, graphql-transport-ws and SSE; every call is authenticated, bounded and traced.
#![recursion_limit = "256"]

mod api;
mod artefact;
mod auth;
mod clock;
mod documents;
mod error;
mod feed;
mod ids;
mod keys;
mod limits;
mod loaders;
mod metrics;
mod model;
mod module;
mod mutation;
mod operation;
mod pages;
mod query;
mod schema;
mod server;
mod socket;
mod subscription;
mod telling;
mod waiting_page;

use std::{net::SocketAddr, sync::Arc};

use convene_kit::{Channel, Deps, Error, Result, Role, role::keep_clock};
use tokio::net::TcpListener;

use api::Api;
pub use keys::{KeyRole, NewApiKey, create_api_key, is_tenant, made_by};
pub use schema::sdl;

/// Name of the role.
pub const NAME: &str = "gateway";

/// What the gateway is told.
#[derive(Debug)]
pub struct Config {
    /// Allows admins to move business time: development only.
    pub allow_clock: bool,
    /// Signs short-lived links to artefacts.
    pub link_keys: convene_kit::keys::Shared,
    /// Control address of a simulator whose clock moves with ours.
    pub simulator_control: Option<String>,
}

/// The way to the services.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Scheduler.
    pub scheduler: Channel,
    /// Meeting broker.
    pub broker: Channel,
    /// Lobby manager.
    pub lobby: Channel,
    /// Recording coordinator.
    pub recording: Channel,
    /// Webhooks.
    pub webhooks: Channel,
    /// Workflows.
    pub workflows: Channel,
    /// Every role, other gateways included: the clocks of all their replicas move with ours.
    pub clocks: Vec<Channel>,
}

/// The bound public address, on which nobody is served yet.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Binds the address.
    pub async fn bind(listen: SocketAddr, allow_public: bool) -> Result<Self> {
        if !listen.ip().is_loopback() && !allow_public {
            return Err(Error::invalid(
                "gateway.listen",
                "NOT_LOOPBACK",
                format!(
                    "{listen} can be reached from elsewhere; use 127.0.0.1 behind a TLS proxy, or set gateway.allow_public = true"
                ),
            ));
        }
        let cannot = |error: std::io::Error| {
            Error::unavailable(
                "CANNOT_LISTEN",
                format!(
                    "the gateway cannot listen on {listen}: {error}; stop what uses the port, or choose another with --listen"
                ),
            )
        };
        let listener = TcpListener::bind(listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Builds the role: the public door, and the faces that every role has.
pub async fn role(deps: Deps, config: Config, door: Door, peers: Peers) -> Result<Role> {
    let mut role = Role::new(NAME, deps.clone()).await?;
    // Where business time cannot be moved there is nothing to tell.
    let clocks = peers.clocks.clone().into_iter();
    for channel in clocks.filter(|_| config.allow_clock) {
        let (clock, callers) = (deps.clock.clone(), deps.callers.clone());
        role = role.task(move |stop| Box::pin(keep_clock(NAME, clock, callers, channel, stop)));
    }
    let api = Arc::new(Api::new(deps, config, peers));
    Ok(role.task(move |stop| Box::pin(server::serve(door.listener, api, stop))))
}
