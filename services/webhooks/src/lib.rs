//! Webhooks: other systems are told what happened, signed, at least once, under an id that stays the same (I7).

mod convert;
mod jobs;
mod payload;
mod peers;
mod rpc;
mod service;
mod signature;
mod store;

use convene_kit::{
    Deps, Result, Role,
    jobs::{Queue, start},
    keys::Sealer,
    outbound::{Outbound, Settings},
};
use convene_proto::webhook::v1::webhooks_server::WebhooksServer;

pub use peers::Peers;
pub use service::ENDPOINTS_MAX;
pub use store::secret::sealed_with;

/// Name of the role.
pub const NAME: &str = "webhooks";

/// What the role is told.
#[derive(Debug)]
pub struct Config {
    /// Seals the secrets of endpoints.
    pub sealer: Sealer,
    /// Where requests may go, and how long they may take.
    pub outbound: Settings,
}

/// Builds the role.
pub async fn role(deps: Deps, config: Config, peers: Peers) -> Result<Role> {
    let outbound = Outbound::new(config.outbound, deps.clock.clone())?;
    let service = service::Webhooks::new(deps.clone(), config.sealer.clone(), outbound.clone());
    let queue = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::DeliveryWorker::new(deps.clone(), config.sealer.clone(), outbound),
        role: NAME,
    };
    let (db, sealer) = (deps.db.clone(), config.sealer);
    let mut role = Role::new(NAME, deps.clone())
        .await?
        .serve(WebhooksServer::new(rpc::Rpc::new(
            deps.callers.clone(),
            service,
        )))
        .task(move |stop| start(queue, stop))
        .task(move |stop| Box::pin(service::reseal(db, sealer, stop)));
    for source in peers.sources() {
        let follower = source.follower(&deps);
        role = role.task(move |stop| Box::pin(convene_kit::feed::follow(follower, stop)));
    }
    Ok(role)
}
