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
mod model;
mod mutation;
mod operation;
mod query;
mod schema;
mod server;
mod socket;
mod subscription;

use std::{net::SocketAddr, sync::Arc};

use convene_kit::{Deps, Error, Result, role::follow_offset};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use api::Api;
pub use keys::{KeyRole, NewApiKey, create_api_key, is_tenant, made_by};
pub use schema::sdl;

/// Name of the role.
pub const NAME: &str = "gateway";

/// What the gateway is told.
#[derive(Debug)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Allows an address that is not loopback.
    pub allow_public: bool,
    /// Allows admins to move business time: development only.
    pub allow_clock: bool,
    /// Signs short-lived links to artefacts.
    pub link_key: ring::hmac::Key,
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
}

/// A gateway that listens and does not serve yet.
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    api: Arc<Api>,
}

impl Gateway {
    /// Binds the address.
    pub async fn build(deps: Deps, config: Config, peers: Peers) -> Result<Self> {
        if !config.listen.ip().is_loopback() && !config.allow_public {
            return Err(Error::invalid(
                "gateway.listen",
                "NOT_LOOPBACK",
                format!(
                    "{} can be reached from elsewhere; use 127.0.0.1 behind a TLS proxy, or set gateway.allow_public = true",
                    config.listen
                ),
            ));
        }
        let cannot = |error: std::io::Error| {
            Error::unavailable(
                "CANNOT_LISTEN",
                format!(
                    "the gateway cannot listen on {}: {error}; stop what uses the port, or choose another with --listen",
                    config.listen
                ),
            )
        };
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self {
            listener,
            address,
            api: Arc::new(Api::new(deps, config, peers)),
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to stop.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let (db, clock) = (self.api.db.clone(), self.api.clock.clone());
        tokio::spawn(follow_offset(db, clock, self.api.stop.clone()));
        server::serve(self.listener, self.api, stop).await
    }
}
