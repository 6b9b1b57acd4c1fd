//! The recording coordinator: the ledger of consents, recordings, and what remains of them (I5). It asks; the meeting broker, which
//! is the only door to a meeting, enforces.

mod artefacts;
mod convert;
mod jobs;
mod peers;
mod rpc;
mod service;
mod store;

use std::path::PathBuf;

use convene_kit::{
    Deps, Result, Role,
    feed::{Follower, follow},
    jobs::{Queue, start},
};
use convene_proto::recording::v1::recording_coordinator_server::RecordingCoordinatorServer;

pub use peers::Peers;
pub use service::RECORDINGS_MAX;

/// Name of the role.
pub const NAME: &str = "recording-coordinator";

/// Bytes of one artefact unless configured: 4 GiB.
pub const ARTEFACT_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What the role is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of stored artefacts; made with mode 0700 when it is not there.
    pub artefacts_dir: PathBuf,
    /// A larger artefact is not stored, in bytes.
    pub artefact_bytes_max: u64,
}

impl Config {
    /// Artefacts of up to [`ARTEFACT_BYTES_MAX`] in this folder.
    pub fn new(artefacts_dir: PathBuf) -> Self {
        Self {
            artefacts_dir,
            artefact_bytes_max: ARTEFACT_BYTES_MAX,
        }
    }
}

/// Builds the role; fails when the folder of artefacts cannot be used.
pub async fn role(deps: Deps, config: Config, peers: Peers) -> Result<Role> {
    let artefacts = artefacts::Artefacts::open(config).await?;
    let broker = peers::Broker::new(peers.broker.clone(), deps.callers.clone());
    let service = service::Coordinator::new(deps.clone(), broker.clone(), artefacts.clone());
    let consents = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::ConsentWorker::new(broker.clone()),
        role: NAME,
    };
    let recordings = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: jobs::RecordingWorker::new(deps.db.clone(), broker, artefacts),
        role: NAME,
    };
    let facts = Follower {
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
        .serve(RecordingCoordinatorServer::new(rpc::Rpc::new(
            deps.callers,
            service,
        )))
        .task(move |stop| start(consents, stop))
        .task(move |stop| start(recordings, stop))
        .task(move |stop| Box::pin(follow(facts, stop))))
}
