//! The meeting broker: one meeting per booking at the provider (I2), and the only door to it: join details leave through a permit (I3),
//! recording is taken only while every holder has consented (I5).

mod convert;
mod jobs;
mod provider;
mod rpc;
mod service;
mod store;

use std::sync::Arc;

use convene_graph::GraphConfig;
use convene_kit::{
    Clock, Deps, Metrics, Result, Role,
    finding::Finding,
    jobs::{Queue, start},
    keys::{PermitPublicKeys, Sealer},
};
use convene_proto::meeting::v1::meeting_broker_server::MeetingBrokerServer;

pub use provider::{Capability, CapabilityLevel, FINDINGS, NEEDS, Need, Part};
pub use store::join_details::sealed_with;

/// Name of the role.
pub const NAME: &str = "meeting-broker";

/// What the role is told.
#[derive(Debug)]
pub struct Config {
    /// Where Graph is and who asks.
    pub graph: GraphConfig,
    /// Where the provider would send notifications of calls.
    pub callback_uri: String,
    /// Bypass scope that meetings are given. Convene's lobby stands before the provider's: an admitted person must not wait twice.
    pub lobby_bypass: String,
    /// Seals join details.
    pub sealer: Sealer,
    /// Verifies permits.
    pub permit_public_keys: PermitPublicKeys,
}

/// Builds the role.
pub async fn role(deps: Deps, config: Config) -> Result<Role> {
    let provider: Arc<dyn provider::Provider> = Arc::new(provider::GraphCalendar::new(
        config.graph,
        config.callback_uri,
        config.lobby_bypass,
        deps.db.metrics(),
    )?);
    let door = service::Door {
        sealer: config.sealer.clone(),
        permit_public_keys: config.permit_public_keys,
    };
    let service = service::Broker::new(deps.clone(), provider.clone(), door);
    let queue = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::MeetingWorker::new(deps.clone(), provider, config.sealer.clone()),
        role: NAME,
    };
    let (db, sealer) = (deps.db.clone(), config.sealer);
    let role = Role::new(NAME, deps.clone()).await?;
    Ok(role
        .serve(MeetingBrokerServer::new(rpc::Rpc::new(
            deps.callers,
            service,
        )))
        .task(move |stop| start(queue, stop))
        .task(move |stop| Box::pin(service::reseal(db, sealer, stop))))
}

/// Looks at a provider as the role does when it is asked for its health; needs no running role. What it may find is [`FINDINGS`].
pub async fn examine(graph: GraphConfig, users: &[String], clock: &Clock) -> Result<Vec<Finding>> {
    use provider::Provider as _;
    let (nobody, metrics) = (String::new(), Metrics::default());
    let provider = provider::GraphCalendar::new(graph, nobody.clone(), nobody, &metrics)?;
    Ok(provider.examine(users, clock).await)
}
