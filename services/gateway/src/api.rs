//! What all resolvers share: the ways to the services and the circumstances of the request.

use std::time::Duration;

use convene_domain::TenantId;
use convene_kit::{
    Caller, Clock, Context, Db, Deps, Result, caller::Callers, clock::Offset, limits,
};
use convene_proto::{
    lobby::v1::lobby_manager_client::LobbyManagerClient,
    meeting::v1::meeting_broker_client::MeetingBrokerClient,
    recording::v1::recording_coordinator_client::RecordingCoordinatorClient,
    scheduler::v1::scheduler_client::SchedulerClient,
};
use tokio::sync::Mutex;
use tonic::{Request, transport::Channel};

use crate::{Config, Peers, feed::Hubs};

/// The services behind the gateway.
pub struct Api {
    pub db: Db,
    pub clock: Clock,
    pub callers: Callers,
    pub config: Config,
    pub hubs: Hubs,
    /// One move of the clock at a time.
    pub moving: Mutex<()>,
    pub peers: Peers,
}

impl Api {
    pub fn new(deps: Deps, config: Config, peers: Peers) -> Self {
        Self {
            hubs: Hubs::new(&peers, &deps.callers),
            db: deps.db,
            clock: deps.clock,
            callers: deps.callers,
            config,
            moving: Mutex::new(()),
            peers,
        }
    }

    pub fn scheduler(&self) -> SchedulerClient<Channel> {
        SchedulerClient::new(self.peers.scheduler.clone())
    }

    pub fn broker(&self) -> MeetingBrokerClient<Channel> {
        MeetingBrokerClient::new(self.peers.broker.clone())
    }

    pub fn lobby(&self) -> LobbyManagerClient<Channel> {
        LobbyManagerClient::new(self.peers.lobby.clone())
    }

    pub fn recording(&self) -> RecordingCoordinatorClient<Channel> {
        RecordingCoordinatorClient::new(self.peers.recording.clone())
    }

    /// The gateway acting by itself.
    pub fn system(&self) -> Context {
        Context::begin(Caller::system(
            TenantId::from_uuid(uuid::Uuid::nil()),
            crate::NAME,
        ))
    }

    /// The offset after a move by `by_ms`, or back to wall time.
    pub fn moved(&self, by_ms: Option<i64>) -> Offset {
        let offset = self.clock.offset();
        Offset {
            millis: by_ms.map_or(0, |by| offset.millis.saturating_add(by)),
            version: offset.version + 1,
        }
    }
}

/// The circumstances of one GraphQL request.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who asks.
    pub caller: Caller,
    callers: Callers,
}

impl Session {
    pub fn new(caller: Caller, callers: Callers) -> Self {
        Self { caller, callers }
    }

    /// An outgoing call on the caller's behalf.
    pub fn request<T>(&self, message: T) -> Result<Request<T>> {
        let wait = Duration::from_millis(limits::DEADLINE_MS);
        Context::until(self.caller.clone(), wait).request(&self.callers, message)
    }
}
