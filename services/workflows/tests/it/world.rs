//! Scheduler and lobby manager as they are, the broker's and the coordinator's feeds, and the workflows role in a process of its own.

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
    workflow::v1::{self as wire, workflows_client::WorkflowsClient},
};
use convene_workflows::{Config, NAME, Peers, Smtp, role};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{mail::MailServer, requests::Receiver};

pub struct World {
    folder: TempDir,
    keys: Keys,
    pub clock: Clock,
    callers: Callers,
    peers: Peers,
    /// The role's process; gone while it is killed.
    process: Option<Runtime>,
    workflows: Channel,
    pub mail: MailServer,
    pub receiver: Receiver,
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
            workflows: local::pipe().0,
            mail: MailServer::new().await,
            receiver: Receiver::new().await,
            tenant: TenantId::from_uuid(Uuid::now_v7()),
            process: None,
            folder,
            keys,
            clock,
            callers,
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

    /// Starts the workflows role in a runtime that stands for its process.
    pub async fn start(&mut self) {
        let (clock, callers) = (self.clock.clone(), self.callers.clone());
        let config = Config {
            outbound: Settings::new(true),
            smtp: Some(Smtp {
                url: format!("smtp://127.0.0.1:{}", self.mail.port).into(),
                from: "Clinic <no-reply@clinic.example>".into(),
            }),
            mail_folder: None,
        };
        let (folder, peers) = (self.folder.path().to_owned(), self.peers.clone());
        let (workflows, incoming) = local::pipe();
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
        self.workflows = workflows;
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

    pub fn workflows(&self) -> WorkflowsClient<Channel> {
        WorkflowsClient::new(self.workflows.clone())
    }

    /// Publishes a workflow and switches it on.
    pub async fn runs(&self, source: &str) {
        let published = self.publish(source).await;
        let message = wire::ActivateWorkflowRequest {
            name: published.name,
            ..Default::default()
        };
        let request = self.admin(message);
        self.workflows().activate_workflow(request).await.unwrap();
    }

    pub async fn publish(&self, source: &str) -> wire::Workflow {
        let message = wire::PublishWorkflowRequest {
            source: source.replace("RECEIVER", &self.receiver.url),
        };
        let request = self.admin(message);
        let published = self.workflows().publish_workflow(request).await;
        published.unwrap().into_inner()
    }

    /// The runs about a booking, oldest first.
    pub async fn of(&self, booking: &str) -> Vec<wire::Run> {
        let message = wire::ListRunsRequest {
            booking_id: booking.into(),
            first: 100,
            ..Default::default()
        };
        let listed = self.workflows().list_runs(self.admin(message)).await;
        let mut runs = listed.unwrap().into_inner().runs;
        runs.reverse();
        runs
    }

    /// Waits until the only run about a booking is as it should be.
    pub async fn run_is(
        &self,
        booking: &str,
        what: &str,
        mut is: impl FnMut(&wire::Run) -> bool,
    ) -> wire::Run {
        until(what, async || {
            let mut runs = self.of(booking).await;
            assert!(runs.len() <= 1, "one event, one run");
            runs.pop().filter(&mut is)
        })
        .await
    }

    /// Waits until the only run about a booking is in this state.
    pub async fn ended(&self, booking: &str, state: wire::RunState) -> wire::Run {
        self.run_is(booking, &format!("the run is {state:?}"), |run| {
            run.state() == state
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

    /// Something else to book.
    pub async fn other_service(&self, tenant: TenantId) -> Desk {
        let desk = self.desk(tenant).await;
        let message = scheduler::CreateServiceRequest {
            idempotency_key: "other".into(),
            name: "Second visit".into(),
            duration_ms: 60_000,
            ..Default::default()
        };
        let request = self.call(tenant, Scope::Admin, message);
        let service = self.scheduler().create_service(request).await.unwrap();
        Desk {
            service: service.into_inner().id,
            ..desk
        }
    }

    /// Books for in forty days; answers the booking's id.
    pub async fn book(&self, desk: &Desk) -> String {
        self.book_in(desk, 40 * 24 * crate::HOUR_MS).await
    }

    /// Books for in so many milliseconds.
    pub async fn book_in(&self, desk: &Desk, in_ms: i64) -> String {
        let start: Timestamp = self.clock.now().plus_millis(in_ms);
        let guest = scheduler::NewGuest {
            name: "Ada Lovelace".into(),
            email: "ada@guest.example".into(),
        };
        let message = scheduler::BookMeetingRequest {
            idempotency_key: Uuid::now_v7().to_string(),
            service_id: desk.service.clone(),
            host_ids: vec![desk.host.clone()],
            start: Some(to_wire(start)),
            guests: vec![guest],
            ..scheduler::BookMeetingRequest::default()
        };
        let request = self.call(desk.tenant, Scope::Admin, message);
        self.scheduler()
            .book_meeting(request)
            .await
            .unwrap()
            .into_inner()
            .id
    }

    /// Moves a booking to in so many milliseconds.
    pub async fn reschedule(&self, desk: &Desk, booking: &str, in_ms: i64) {
        let message = scheduler::RescheduleBookingRequest {
            idempotency_key: Uuid::now_v7().to_string(),
            id: booking.into(),
            start: Some(to_wire(self.clock.now().plus_millis(in_ms))),
            end: None,
            version: 0,
        };
        let request = self.call(desk.tenant, Scope::Admin, message);
        self.scheduler().reschedule_booking(request).await.unwrap();
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

impl Desk {
    pub fn service(&self) -> &str {
        &self.service
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
    Db::open_sqlite::<migrations::workflows::Migrator>(folder, NAME).await
}

fn serve(role: Role, incoming: Incoming) {
    tokio::spawn(role.run(incoming, CancellationToken::new()));
}

/// The step of a run.
pub fn step<'a>(run: &'a wire::Run, id: &str) -> &'a wire::Step {
    let found = run.steps.iter().find(|step| step.id == id);
    found.unwrap_or_else(|| panic!("no step {id} in {run:?}"))
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
