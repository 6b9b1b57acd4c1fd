//! Scheduler and lobby manager as they are, the broker's and the coordinator's feeds, and the webhooks role in a process of its own.

use std::time::Duration;

use convene_domain::{TenantId, Timestamp};
use convene_kit::{
    Caller, Callers, Channel, Clock, Context, Db, Deps, Error, Role, Scope,
    clock::Offset,
    convert::to_wire,
    keys::Keys,
    local::{self, Incoming},
    outbound::Settings,
};
use convene_migrations as migrations;
use convene_proto::{
    scheduler::v1::{self as scheduler, scheduler_client::SchedulerClient},
    webhook::v1::{self as wire, webhooks_client::WebhooksClient},
};
use convene_webhooks::{Config, NAME, Peers, role};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::receiver::Receiver;

/// An answer is waited for so long, in milliseconds.
pub const ANSWER_MS: u64 = 800;

pub struct World {
    folder: TempDir,
    keys: Keys,
    pub clock: Clock,
    callers: Callers,
    peers: Peers,
    /// The role's process; gone while it is killed.
    process: Option<Runtime>,
    webhooks: Channel,
    loopback: bool,
    pub tenant: TenantId,
}

/// A service and a host that are booked.
pub struct Desk {
    pub tenant: TenantId,
    service: String,
    host: String,
}

impl World {
    pub async fn new() -> Self {
        Self::with(true).await
    }

    pub async fn with(loopback: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::ephemeral().unwrap());
        let clock = Clock::default();
        let callers = Callers::new(keys.caller().unwrap(), clock.clone());
        let channel = || local::pipe();
        let (scheduler, scheduler_in) = channel();
        let (broker, broker_in) = channel();
        let (lobby, lobby_in) = channel();
        let (recording, recording_in) = channel();
        let mut world = Self {
            peers: Peers {
                scheduler: scheduler.clone(),
                broker: broker.clone(),
                lobby: lobby.clone(),
                recording,
            },
            webhooks: local::pipe().0,
            tenant: TenantId::from_uuid(Uuid::now_v7()),
            process: None,
            folder,
            keys,
            clock,
            callers,
            loopback,
        };
        let of = world.deps::<migrations::meeting_broker::Migrator>("meeting-broker");
        serve(
            Role::new("meeting-broker", of.await).await.unwrap(),
            broker_in,
        );
        let of = world.deps::<migrations::recording_coordinator::Migrator>("recording-coordinator");
        let role = Role::new("recording-coordinator", of.await);
        serve(role.await.unwrap(), recording_in);
        let of = world.deps::<migrations::lobby_manager::Migrator>("lobby-manager");
        let permit_keys = world.keys.permit().unwrap();
        let config = convene_lobby_manager::Config {
            permit_keys,
            plugins_dir: world.folder.path().join("plugins"),
        };
        let peers = convene_lobby_manager::Peers {
            broker: broker.clone(),
        };
        let role = convene_lobby_manager::role(of.await, config, peers);
        serve(role.await.unwrap(), lobby_in);
        let of = world.deps::<migrations::scheduler::Migrator>("scheduler");
        let peers = convene_scheduler::Peers { broker, lobby };
        let role = convene_scheduler::role(of.await, peers);
        serve(role.await.unwrap(), scheduler_in);
        world.start().await;
        world
    }

    async fn deps<M: sea_orm_migration::MigratorTrait>(&self, name: &str) -> Deps {
        Deps {
            db: Db::open_sqlite::<M>(self.folder.path(), name)
                .await
                .unwrap(),
            clock: self.clock.clone(),
            callers: self.callers.clone(),
        }
    }

    /// Starts the webhooks role in a runtime that stands for its process.
    pub async fn start(&mut self) {
        let (clock, callers) = (self.clock.clone(), self.callers.clone());
        let settings = Settings {
            answer_ms: ANSWER_MS,
            ..Settings::new(self.loopback)
        };
        let config = Config {
            sealer: self.keys.webhooks().unwrap(),
            outbound: settings,
        };
        let (folder, peers) = (self.folder.path().to_owned(), self.peers.clone());
        let (webhooks, incoming) = local::pipe();
        let process = Runtime::new().unwrap();
        process.spawn(async move {
            // The last process may still let go of its file.
            let mut opened = open(&folder).await;
            while opened.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
                opened = open(&folder).await;
            }
            let deps = Deps {
                db: opened.unwrap(),
                clock,
                callers,
            };
            let role = role(deps, config, peers).await.unwrap();
            role.run(incoming, CancellationToken::new()).await
        });
        self.webhooks = webhooks;
        self.process = Some(process);
    }

    /// The role dies where it stands.
    pub fn kill(&mut self) {
        self.process.take().unwrap().shutdown_background();
    }

    /// Moves every clock forward.
    pub fn advance(&self, by_ms: i64) {
        let offset = self.clock.offset();
        self.clock.set(Offset {
            millis: offset.millis + by_ms,
            version: offset.version + 1,
        });
    }

    /// A call of a tenant with this right.
    pub fn call<T>(&self, tenant: TenantId, scope: Scope, message: T) -> tonic::Request<T> {
        let caller = Caller::new(tenant, scope, "key:test");
        Context::begin(caller)
            .request(&self.callers, message)
            .unwrap()
    }

    /// A call of the tenant's admin.
    pub fn admin<T>(&self, message: T) -> tonic::Request<T> {
        self.call(self.tenant, Scope::Admin, message)
    }

    pub fn webhooks(&self) -> WebhooksClient<Channel> {
        WebhooksClient::new(self.webhooks.clone())
    }

    /// An endpoint for these events; its id and secret.
    pub async fn endpoint(&self, receiver: &Receiver, event_types: &[&str]) -> (String, String) {
        let message = new_endpoint(&receiver.url, event_types);
        let made = self.webhooks().create_endpoint(self.admin(message)).await;
        let made = made.unwrap().into_inner();
        (made.endpoint.unwrap().id, made.secret)
    }

    pub async fn get(&self, id: &str) -> wire::Endpoint {
        let message = wire::GetEndpointRequest { id: id.into() };
        let found = self.webhooks().get_endpoint(self.admin(message)).await;
        found.unwrap().into_inner()
    }

    /// The endpoint's deliveries, oldest first.
    pub async fn deliveries(&self, endpoint: &str) -> Vec<wire::Delivery> {
        let message = wire::ListDeliveriesRequest {
            endpoint_id: endpoint.into(),
            first: 100,
            ..Default::default()
        };
        let listed = self.webhooks().list_deliveries(self.admin(message)).await;
        let mut deliveries = listed.unwrap().into_inner().deliveries;
        deliveries.reverse();
        deliveries
    }

    /// Waits until the only delivery of the endpoint has had so many attempts and is not being attempted.
    pub async fn attempted(&self, endpoint: &str, attempts: usize) -> wire::Delivery {
        until(&format!("{attempts} attempts"), async || {
            let delivery = self.deliveries(endpoint).await.pop()?;
            (delivery.attempts.len() == attempts).then_some(delivery)
        })
        .await
    }

    /// Waits until so many deliveries of the endpoint are in this state.
    pub async fn settled(
        &self,
        endpoint: &str,
        state: wire::DeliveryState,
        count: usize,
    ) -> Vec<wire::Delivery> {
        until(&format!("{count} are {state:?}"), async || {
            let deliveries = self.deliveries(endpoint).await;
            let there = deliveries.iter().filter(|d| d.state() == state).count();
            (there == count).then_some(deliveries)
        })
        .await
    }

    fn scheduler(&self) -> SchedulerClient<Channel> {
        SchedulerClient::new(self.peers.scheduler.clone())
    }

    /// Something to book.
    pub async fn desk(&self, tenant: TenantId) -> Desk {
        let message = scheduler::CreateServiceRequest {
            idempotency_key: "s".into(),
            name: "First visit".into(),
            duration_ms: 60_000,
            ..Default::default()
        };
        let request = self.call(tenant, Scope::Admin, message);
        let service = self.scheduler().create_service(request).await.unwrap();
        let message = scheduler::CreateHostRequest {
            idempotency_key: "h".into(),
            name: "Front desk".into(),
            provider_user: "desk@example.com".into(),
            capacity: 1_000,
            availability: None,
        };
        let request = self.call(tenant, Scope::Admin, message);
        let host = self.scheduler().create_host(request).await.unwrap();
        Desk {
            tenant,
            service: service.into_inner().id,
            host: host.into_inner().id,
        }
    }

    /// Books; answers the booking's id.
    pub async fn book(&self, desk: &Desk) -> String {
        let start: Timestamp = self.clock.now().plus_millis(40 * 24 * crate::HOUR_MS);
        let guest = scheduler::NewGuest {
            name: "Ada Lovelace".into(),
            email: "ada@guest.example".into(),
        };
        let message = scheduler::BookMeetingRequest {
            idempotency_key: Uuid::now_v7().to_string(),
            service_id: desk.service.clone(),
            host_ids: vec![desk.host.clone()],
            start: Some(to_wire(start)),
            end: None,
            all_hosts: false,
            skills: Vec::new(),
            hold_token: String::new(),
            guests: vec![guest],
        };
        let request = self.call(desk.tenant, Scope::Admin, message);
        self.scheduler()
            .book_meeting(request)
            .await
            .unwrap()
            .into_inner()
            .id
    }

    pub async fn cancel(&self, desk: &Desk, booking: &str) {
        let message = scheduler::CancelBookingRequest {
            idempotency_key: Uuid::now_v7().to_string(),
            id: booking.into(),
            reason: "HOST_IS_ILL".into(),
        };
        let request = self.call(desk.tenant, Scope::Admin, message);
        self.scheduler().cancel_booking(request).await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.shutdown_background();
        }
    }
}

async fn open(folder: &std::path::Path) -> convene_kit::Result<Db> {
    Db::open_sqlite::<migrations::webhooks::Migrator>(folder, NAME).await
}

fn serve(role: Role, incoming: Incoming) {
    tokio::spawn(role.run(incoming, CancellationToken::new()));
}

pub fn new_endpoint(url: &str, event_types: &[&str]) -> wire::CreateEndpointRequest {
    wire::CreateEndpointRequest {
        idempotency_key: Uuid::now_v7().to_string(),
        url: url.into(),
        description: "of a test".into(),
        event_types: event_types.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Reason and field of a refusal.
pub fn refusal<T: std::fmt::Debug>(
    answer: Result<tonic::Response<T>, tonic::Status>,
) -> (String, String) {
    let error = Error::from(answer.unwrap_err());
    (error.reason.into_owned(), error.field.unwrap_or_default())
}

/// Looks until there is an answer; fails loudly when there is none in time.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < patience,
            "did not happen in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
