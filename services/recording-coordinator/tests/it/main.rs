//! The role over the wire, while the broker is away.
#![allow(clippy::unwrap_used)] // the lint sees test functions only, not what they call

use convene_domain::{BookingId, TenantId, VisitId};
use convene_kit::{Caller, Callers, Channel, Clock, Context, Db, Deps, Error, Scope, local};
use convene_migrations::recording_coordinator::Migrator;
use convene_proto::{
    event::v1::{ReadRequest, events_client::EventsClient},
    recording::v1::{self as wire, recording_coordinator_client::RecordingCoordinatorClient},
};
use convene_recording_coordinator::{Config, NAME, Peers, role};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const BOOKING: BookingId = BookingId::from_uuid(Uuid::from_u128(10));

struct Running {
    channel: Channel,
    callers: Callers,
    stop: CancellationToken,
    task: JoinHandle<convene_kit::Result<()>>,
}

impl Running {
    async fn start(dir: &std::path::Path) -> Self {
        let clock = Clock::default();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
        let callers = Callers::new(key, clock.clone());
        let deps = Deps {
            db: Db::open_sqlite::<Migrator>(dir, NAME).await.unwrap(),
            clock,
            callers: callers.clone(),
        };
        let (broker, _nobody) = local::pipe();
        let config = Config::new(dir.join("artefacts"));
        let role = role(deps, config, Peers { broker }).await.unwrap();
        let (channel, incoming) = local::pipe();
        let stop = CancellationToken::new();
        let task = tokio::spawn(role.run(incoming, stop.clone()));
        Self {
            channel,
            callers,
            stop,
            task,
        }
    }

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let scope = Scope::Guest {
            visit: VisitId::from_uuid(Uuid::from_u128(30)),
            booking: BOOKING,
        };
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        let caller = Caller::new(tenant, scope, "visit:30");
        Context::begin(caller)
            .request(&self.callers, message)
            .unwrap()
    }

    fn client(&self) -> RecordingCoordinatorClient<Channel> {
        RecordingCoordinatorClient::new(self.channel.clone())
    }

    async fn end(self) {
        self.stop.cancel();
        drop(self.channel);
        self.task.await.unwrap().unwrap();
    }
}

fn consent(text_version: &str, locale: &str) -> wire::GiveConsentRequest {
    wire::GiveConsentRequest {
        booking_id: BOOKING.to_string(),
        meeting_id: BOOKING.meeting(1).to_string(),
        text_version: text_version.into(),
        locale: locale.into(),
    }
}

/// A runtime stands for a process: when it is dropped, everything in it dies where it stands.
fn process(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(work);
}

#[test]
fn a_guests_consent_outlives_a_kill_and_needs_no_broker() {
    let dir = tempfile::tempdir().unwrap();
    process(give(dir.path()));
    process(withdraw(dir.path()));
}

async fn give(dir: &std::path::Path) {
    let running = Running::start(dir).await;
    let given = running
        .client()
        .give_consent(running.request(consent("2026-01", "de-CH")))
        .await
        .unwrap()
        .into_inner();
    assert!(given.given);
    assert_eq!(given.audience, format!("visit:{}", Uuid::from_u128(30)));
    assert_eq!((given.text_version.as_str(), given.version), ("2026-01", 1));
}

async fn withdraw(dir: &std::path::Path) {
    let running = Running::start(dir).await;
    let withdraw = wire::WithdrawConsentRequest {
        booking_id: BOOKING.to_string(),
        meeting_id: BOOKING.meeting(1).to_string(),
    };
    let withdrawn = running
        .client()
        .withdraw_consent(running.request(withdraw))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((withdrawn.given, withdrawn.version), (false, 2));
    assert_eq!(withdrawn.locale, "de-CH");

    let read = ReadRequest {
        after_position: 0,
        limit: 0,
        booking_id: BOOKING.to_string(),
    };
    let page = EventsClient::new(running.channel.clone())
        .read(running.request(read))
        .await
        .unwrap()
        .into_inner();
    let kinds: Vec<_> = page
        .events
        .iter()
        .map(|event| event.r#type.as_str())
        .collect();
    assert_eq!(kinds, ["ConsentGiven", "ConsentWithdrawn"]);
    assert_eq!(page.events[1].previous_hash, page.events[0].hash);
}

#[tokio::test]
async fn bad_input_names_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    let refuse = async |message: wire::GiveConsentRequest| {
        let answer = running
            .client()
            .give_consent(running.request(message))
            .await;
        let error = Error::from(answer.unwrap_err());
        (error.reason.into_owned(), error.field.unwrap_or_default())
    };
    let named = |reason: &str, field: &str| (reason.to_owned(), field.to_owned());
    assert_eq!(
        refuse(consent("", "en")).await,
        named("REQUIRED", "textVersion")
    );
    let long = "v".repeat(201);
    assert_eq!(
        refuse(consent(&long, "en")).await,
        named("TOO_LONG", "textVersion")
    );
    assert_eq!(
        refuse(consent("v", "en_US")).await,
        named("MALFORMED_LOCALE", "locale")
    );
    let mut other = consent("v", "en");
    other.booking_id = "no id".into();
    assert_eq!(refuse(other).await, named("MALFORMED_ID", "bookingId"));
    let mut other = consent("v", "en");
    other.meeting_id = BOOKING.meeting(2).to_string();
    assert_eq!(refuse(other).await, named("NOT_FOUND", "meetingId"));

    let unsigned = running.client().give_consent(consent("v", "en")).await;
    assert_eq!(Error::from(unsigned.unwrap_err()).reason, "CALLER_UNKNOWN");
    running.end().await;
}
