//! I1: however many ask at the same moment, and whichever replica they ask, no host is overbooked.

use convene_domain::{Interval, TenantId, Timestamp, peak};
use convene_kit::{
    Caller, Channel, Clock, Context, Db, Deps, Error, Scope, caller::Callers, local,
};
use convene_migrations::scheduler::Migrator;
use convene_proto::scheduler::v1::{self as wire, scheduler_client::SchedulerClient};
use convene_scheduler::{NAME, Peers, role};
use convene_scratch::Place;
use futures_util::future::join_all;
use ring::hmac;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

convene_scratch::contract!(
    one_slot_is_given_as_often_as_the_host_can,
    overlapping_slots_never_exceed_capacity,
    the_same_request_at_two_replicas_is_one_booking,
);

const MINUTE: i64 = 60_000;
const DURATION: i64 = 30 * MINUTE;
const BUFFER: i64 = 5 * MINUTE;

/// Replicas of the scheduler whose peers are away.
struct Schedulers {
    replicas: Vec<SchedulerClient<Channel>>,
    callers: Callers,
    caller: Caller,
    stop: CancellationToken,
    /// A full hour, tomorrow.
    tomorrow: i64,
}

impl Schedulers {
    async fn start(place: &Place) -> Self {
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

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let context = Context::begin(self.caller.clone());
        context.request(&self.callers, message).unwrap()
    }

    async fn service_and_host(&self, capacity: u32) -> (String, String) {
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

    /// Books at the n-th replica, counted around.
    async fn book(&self, n: usize, key: &str, of: &(String, String), start: i64) -> Answer {
        let request = self.request(wire::BookMeetingRequest {
            idempotency_key: key.into(),
            service_id: of.0.clone(),
            host_id: of.1.clone(),
            start: Some(convene_kit::convert::to_wire(Timestamp::from_millis(start))),
            end: None,
            guests: vec![wire::NewGuest {
                name: "Guest".into(),
                email: "guest@example.com".into(),
            }],
        });
        let mut client = self.replicas[n % self.replicas.len()].clone();
        let booked = client.book_meeting(request).await;
        booked
            .map(|booking| booking.into_inner())
            .map_err(Error::from)
    }
}

type Answer = Result<wire::Booking, Error>;

async fn one_slot_is_given_as_often_as_the_host_can(place: Place) {
    let schedulers = Schedulers::start(&place).await;
    for round in 0..4 {
        let of = schedulers.service_and_host(3).await;
        let start = schedulers.tomorrow + round * 2 * 3_600_000;
        let keys: Vec<_> = (0..24).map(|n| format!("{round}/{n}")).collect();
        let asking = keys
            .iter()
            .enumerate()
            .map(|(n, key)| schedulers.book(n, key, &of, start));
        let answers = join_all(asking).await;
        let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
        for error in refused {
            assert_eq!(error.reason, "SLOT_TAKEN", "{error:?}");
        }
        let given = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(given, 3, "I1");
    }
    schedulers.stop.cancel();
}

async fn overlapping_slots_never_exceed_capacity(place: Place) {
    const CAPACITY: usize = 2;
    let schedulers = Schedulers::start(&place).await;
    let of = schedulers.service_and_host(2).await;
    let keys: Vec<_> = (0..60).map(|n| format!("key {n}")).collect();
    let asking = keys.iter().enumerate().map(|(n, key)| {
        // Starts within two hours, ten minutes apart, in no order.
        let start = schedulers.tomorrow + ((n as i64 * 7) % 12) * 10 * MINUTE;
        schedulers.book(n, key, &of, start)
    });
    let taken: Vec<Interval> = join_all(asking)
        .await
        .into_iter()
        .filter_map(|answer| match answer {
            Ok(booking) => Some(booking),
            Err(error) => {
                assert_eq!(error.reason, "SLOT_TAKEN", "{error:?}");
                None
            }
        })
        .map(|booking| {
            let start = convene_kit::convert::from_wire(booking.start.unwrap());
            let end = start.plus_millis(DURATION + BUFFER);
            Interval::new(start.plus_millis(-BUFFER), end).unwrap()
        })
        .collect();
    assert!(taken.len() >= 2 * CAPACITY, "some were given");
    for (n, interval) in taken.iter().enumerate() {
        let others: Vec<_> = [&taken[..n], &taken[n + 1..]].concat();
        assert!(peak(interval, &others) < CAPACITY, "I1");
    }
    schedulers.stop.cancel();
}

async fn the_same_request_at_two_replicas_is_one_booking(place: Place) {
    let schedulers = Schedulers::start(&place).await;
    let of = schedulers.service_and_host(10).await;
    for round in 0..10 {
        let key = format!("round {round}");
        let start = schedulers.tomorrow + round * 3_600_000;
        let asking = (0..6).map(|n| schedulers.book(n, &key, &of, start));
        let mut ids: Vec<_> = join_all(asking)
            .await
            .into_iter()
            .map(|answer| answer.unwrap().id)
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "one key, one booking, one answer");
    }
    schedulers.stop.cancel();
}
