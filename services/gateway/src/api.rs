//! What all resolvers share: the ways to the services and the circumstances of the request.

use std::{sync::Arc, time::Duration};

use convene_domain::TenantId;
use convene_kit::{Caller, Channel, Clock, Context, Db, Deps, Result, caller::Callers, limits};
use convene_proto::{
    lobby::v1::lobby_manager_client::LobbyManagerClient,
    meeting::v1::meeting_broker_client::MeetingBrokerClient,
    plugin::v1::plugins_client::PluginsClient,
    recording::v1::recording_coordinator_client::RecordingCoordinatorClient,
    scheduler::v1::scheduler_client::SchedulerClient, webhook::v1::webhooks_client::WebhooksClient,
    workflow::v1::workflows_client::WorkflowsClient,
};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic::Request;

use crate::{Config, Peers, feed::Hubs, keys::KnownKeys, metrics::GatewayMetrics};

/// The services behind the gateway.
pub struct Api {
    pub db: Db,
    pub clock: Clock,
    pub callers: Callers,
    pub config: Config,
    pub hubs: Hubs,
    pub keys: KnownKeys,
    pub metrics: GatewayMetrics,
    /// One move of the clock at a time.
    pub moving: Mutex<()>,
    pub peers: Peers,
    /// Ends what lasts for ever: subscriptions and the feeds behind them.
    pub stop: CancellationToken,
}

impl Api {
    pub fn new(deps: Deps, config: Config, peers: Peers) -> Self {
        let stop = CancellationToken::new();
        Self {
            hubs: Hubs::new(&peers, &deps.callers, &stop),
            keys: KnownKeys::default(),
            metrics: GatewayMetrics::new(deps.db.metrics()),
            db: deps.db,
            clock: deps.clock,
            callers: deps.callers,
            config,
            moving: Mutex::new(()),
            peers,
            stop,
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

    pub fn webhooks(&self) -> WebhooksClient<Channel> {
        WebhooksClient::new(self.peers.webhooks.clone())
    }

    /// Kept by the lobby manager, whose hook is the only one that is served.
    pub fn plugins(&self) -> PluginsClient<Channel> {
        PluginsClient::new(self.peers.lobby.clone())
    }

    pub fn workflows(&self) -> WorkflowsClient<Channel> {
        WorkflowsClient::new(self.peers.workflows.clone())
    }

    /// The gateway acting by itself.
    pub fn system(&self) -> Context {
        Context::begin(Caller::system(
            TenantId::from_uuid(uuid::Uuid::nil()),
            crate::NAME,
        ))
    }
}

/// The circumstances of one GraphQL request.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who asks.
    pub caller: Caller,
    /// With what, for what goes on longer than the credential may hold.
    pub authorization: Arc<SecretString>,
    callers: Callers,
}

impl Session {
    pub fn new(caller: Caller, authorization: Arc<SecretString>, callers: Callers) -> Self {
        Self {
            caller,
            authorization,
            callers,
        }
    }

    /// An outgoing call on the caller's behalf.
    pub fn request<T>(&self, message: T) -> Result<Request<T>> {
        let wait = Duration::from_millis(limits::DEADLINE_MS);
        Context::until(self.caller.clone(), wait).request(&self.callers, message)
    }
}

/// Marks a request that came by a method which must not change anything.
pub struct ReadOnly;
