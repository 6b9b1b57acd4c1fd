//! Schedulers over one database, asked over gRPC.

use convene_domain::{TenantId, Timestamp};
use convene_kit::{
    Caller, Channel, Clock, Context, Db, Deps, Error, Scope, caller::Callers, convert::to_wire,
    local,
};
use convene_migrations::scheduler::Migrator;
use convene_proto::scheduler::v1::{self as wire, scheduler_client::SchedulerClient};
use convene_scheduler::{NAME, Peers, role};
use convene_scratch::Place;
use ring::hmac;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const MINUTE: i64 = 60_000;
pub const DURATION: i64 = 30 * MINUTE;
pub const BUFFER: i64 = 5 * MINUTE;

/// Replicas of the scheduler whose peers are away.
pub struct Schedulers {
    replicas: Vec<SchedulerClient<Channel>>,
    callers: Callers,
    caller: Caller,
    pub stop: CancellationToken,
    /// A full hour, tomorrow.
    pub tomorrow: i64,
}

impl Schedulers {
    pub async fn start(place: &Place) -> Self {
        let clock = Clock::default();
        let callers = Callers::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), clock.clone());
        let stop = CancellationToken::new();
        let mut replicas = Vec::new();
        let count = if place.server().is_some() { 2 } else { 1 };
        for _ in 0..count {
            let deps = Deps {
                db: Db::open::<Migrator>(place.database(), NAME).await.unwrap(),
                clock: clock.clone(),
                callers: callers.clone(),
            };
            let (away, _) = local::pipe();
            let peers = Peers {
                broker: away.clone(),
                lobby: away,
            };
            let (channel, incoming) = local::pipe();
            let role = role(deps, peers).await.unwrap();
            tokio::spawn(role.run(incoming, stop.clone()));
            replicas.push(SchedulerClient::new(channel));
        }
        Self {
            replicas,
            callers,
            caller: Caller::new(
                TenantId::from_uuid(Uuid::now_v7()),
                Scope::Admin,
                "key:test",
            ),
            stop,
            tomorrow: (clock.now().as_millis() / 3_600_000 + 24) * 3_600_000,
        }
    }

    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let context = Context::begin(self.caller.clone());
        context.request(&self.callers, message).unwrap()
    }

    pub async fn service_and_host(&self, capacity: u32) -> (String, String) {
        let service = self.request(wire::CreateServiceRequest {
            idempotency_key: "service".into(),
            name: "First visit".into(),
            duration_ms: DURATION,
            buffer_before_ms: BUFFER,
            buffer_after_ms: BUFFER,
            availability: None,
        });
        let host = self.request(wire::CreateHostRequest {
            idempotency_key: "host".into(),
            name: "Host".into(),
            provider_user: "host@clinic.example".into(),
            capacity,
            availability: None,
        });
        let mut client = self.replicas[0].clone();
        let service = client.create_service(service).await.unwrap().into_inner();
        let host = client.create_host(host).await.unwrap().into_inner();
        (service.id, host.id)
    }

    /// A client of the n-th replica, counted around.
    pub fn at(&self, n: usize) -> SchedulerClient<Channel> {
        self.replicas[n % self.replicas.len()].clone()
    }

    /// Another host.
    pub async fn host(&self, key: &str, capacity: u32) -> String {
        let host = self.request(wire::CreateHostRequest {
            idempotency_key: key.into(),
            name: key.into(),
            provider_user: "host@clinic.example".into(),
            capacity,
            availability: None,
        });
        let made = self.at(0).create_host(host).await.unwrap();
        made.into_inner().id
    }

    /// A wish of one guest with these hosts.
    pub fn wish(
        &self,
        key: &str,
        service: &str,
        hosts: &[String],
        start: i64,
    ) -> wire::BookMeetingRequest {
        wire::BookMeetingRequest {
            idempotency_key: key.into(),
            service_id: service.into(),
            host_ids: hosts.to_vec(),
            start: Some(to_wire(Timestamp::from_millis(start))),
            guests: vec![wire::NewGuest {
                name: "Guest".into(),
                email: "guest@example.com".into(),
            }],
            ..wire::BookMeetingRequest::default()
        }
    }

    /// Books at the n-th replica, counted around.
    pub async fn book(&self, n: usize, key: &str, of: &(String, String), start: i64) -> Answer {
        let wish = self.wish(key, &of.0, std::slice::from_ref(&of.1), start);
        let request = self.request(wish);
        let mut client = self.replicas[n % self.replicas.len()].clone();
        let booked = client.book_meeting(request).await;
        booked
            .map(|booking| booking.into_inner())
            .map_err(Error::from)
    }
}

pub type Answer = Result<wire::Booking, Error>;
