//! The scheduler: who gets the slot. It keeps services, hosts and bookings, guards capacity (I1), and drives the services below it.

mod convert;
mod jobs;
mod peers;
mod rpc;
mod service;
mod store;

use convene_kit::{
    Deps, Result, Role,
    feed::{Follower, follow},
    jobs::{Queue, start},
};
use convene_proto::scheduler::v1::scheduler_server::SchedulerServer;

pub use peers::Peers;
pub use service::GUESTS_MAX;
pub use store::host::provider_users;

/// Name of the role.
pub const NAME: &str = "scheduler";

/// Builds the role.
pub async fn role(deps: Deps, peers: Peers) -> Result<Role> {
    let service = service::Scheduler::new(deps.clone());
    let queue = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::BookingWorker::new(deps.clone(), peers.clone()),
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
        .serve(SchedulerServer::new(rpc::Rpc::new(deps.callers, service)))
        .task(move |stop| start(queue, stop))
        .task(move |stop| Box::pin(follow(broker, stop))))
}
