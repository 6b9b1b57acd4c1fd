//! The coordinator's own rules over a real store. The broker is away here: what needs it must say so, what does not must work.

use std::collections::BTreeSet;

use convene_domain::{
    Audience, BookingId, HostId, MeetingId, RecordingId, TenantId, VisitId,
    meeting::{SegmentId, StopCause},
    recording::{Event, Phase},
};
use convene_kit::{
    Caller, Callers, Clock, Code, Context, Db, Deps, Error, KeyScope, Result, Scope, event, jobs,
    store as spine,
};
use convene_migrations::recording_coordinator::Migrator;
use convene_proto::{
    meeting::v1::{CaptureState, MeetingPhase},
    recording::v1::{ReadArtefactRequest, recording_coordinator_server::RecordingCoordinator as _},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use super::{Coordinator, GiveConsent, facts, recording};
use crate::{
    Config,
    artefacts::Artefacts,
    peers::{Broker, Met},
    rpc::Rpc,
    store::recording::{Model, Recordings, of_host},
};

struct House {
    deps: Deps,
    coordinator: Coordinator,
    dir: tempfile::TempDir,
}

const BOOKING: BookingId = BookingId::from_uuid(Uuid::from_u128(10));
const HOST: HostId = HostId::from_uuid(Uuid::from_u128(20));
const GUEST: VisitId = VisitId::from_uuid(Uuid::from_u128(30));

fn meeting() -> MeetingId {
    BOOKING.meeting(1)
}

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

fn by(tenant_number: u128, scope: Scope) -> Context {
    let principal = match scope {
        Scope::Host(host) => format!("host:{host}"),
        Scope::Guest { visit, .. } => format!("visit:{visit}"),
        _ => "key:1".into(),
    };
    Context::begin(Caller::new(tenant(tenant_number), scope, principal))
}

fn guest() -> Scope {
    Scope::Guest {
        visit: GUEST,
        booking: BOOKING,
    }
}

fn yes(text_version: &str) -> GiveConsent {
    GiveConsent {
        booking: BOOKING,
        meeting: meeting(),
        text_version: text_version.into(),
        locale: "en".into(),
    }
}

fn met(phase: MeetingPhase) -> Met {
    Met {
        host: HOST,
        phase,
        holders: BTreeSet::from([Audience::Host(HOST), Audience::Visit(GUEST)]),
        capture: CaptureState::Off,
        segment: None,
    }
}

impl House {
    async fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(dir.path(), crate::NAME);
        let clock = Clock::default();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
        let deps = Deps {
            db: db.await.unwrap(),
            callers: Callers::new(key, clock.clone()),
            clock,
        };
        let (nobody, _) = convene_kit::local::pipe();
        let broker = Broker::new(nobody, deps.callers.clone());
        let artefacts = Artefacts::open(Config::new(dir.path().join("artefacts")));
        let coordinator = Coordinator::new(deps.clone(), broker, artefacts.await.unwrap());
        Self {
            deps,
            coordinator,
            dir,
        }
    }

    /// What `start_recording` does once the broker has answered.
    async fn start(&self, recorder: Option<HostId>, met: Met) -> Result<Model> {
        let scope = recorder.map_or(Scope::Admin, Scope::Host);
        let origin = by(1, scope).origin(&self.deps.clock);
        let recorder = recorder.map(Audience::Host);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    recording::start(tx, &origin, recorder, BOOKING, meeting(), met).await
                })
            })
            .await
    }

    /// A recording of the host in tenant 1 after these facts.
    async fn recording(&self, facts: Vec<Event>) -> RecordingId {
        let origin = by(1, Scope::System).origin(&self.deps.clock);
        let id = RecordingId::from_uuid(convene_kit::ids::new());
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let event = Event::RecordingRequested {
                        booking: BOOKING,
                        meeting: meeting(),
                    };
                    let of_host = of_host(HOST);
                    spine::insert::<Recordings>(tx, &origin, id.as_uuid(), event, of_host).await?;
                    for fact in facts {
                        spine::change::<Recordings>(tx, &origin, id.as_uuid(), fact).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        id
    }

    async fn tell(&self, id: RecordingId, fact: Event) -> Model {
        let origin = by(1, Scope::System).origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| Box::pin(async move { recording::tell(tx, &origin, id, fact).await }))
            .await
            .unwrap()
    }

    async fn phase(&self, id: RecordingId) -> Phase {
        let row = self
            .coordinator
            .get_recording(&by(1, Scope::Admin), id)
            .await;
        row.unwrap().machine().unwrap().phase
    }

    async fn events(&self) -> Vec<(String, String)> {
        let filter = event::Filter::default();
        let rows = event::page(self.deps.db.read(), 0, 100, filter).await;
        rows.unwrap()
            .into_iter()
            .map(|row| (row.kind, row.actor))
            .collect()
    }
}

fn reason<T: std::fmt::Debug>(answer: Result<T>) -> String {
    answer.unwrap_err().reason.into_owned()
}

fn code<T: std::fmt::Debug>(answer: Result<T>) -> Code {
    answer.unwrap_err().code
}

#[tokio::test]
async fn a_decision_is_written_once_and_its_history_kept() {
    let house = House::build().await;
    let (coordinator, me) = (&house.coordinator, by(1, guest()));
    let withdraw = || coordinator.withdraw_consent(&me, BOOKING, meeting());
    assert_eq!(reason(withdraw().await), "CONSENT_UNKNOWN");

    let first = coordinator.give_consent(&me, yes("v1")).await.unwrap();
    let again = coordinator.give_consent(&me, yes("v1")).await.unwrap();
    assert_eq!(first, again);
    assert!(first.machine().unwrap().given);
    let newer = coordinator.give_consent(&me, yes("v2")).await.unwrap();
    assert_eq!(newer.version, 2);
    let over = withdraw().await.unwrap();
    assert_eq!((over.version, over.machine().unwrap().given), (3, false));
    assert_eq!(withdraw().await.unwrap(), over);

    let told: Vec<_> = house.events().await.into_iter().map(|e| e.0).collect();
    assert_eq!(told, ["ConsentGiven", "ConsentGiven", "ConsentWithdrawn"]);
    let jobs = jobs::open_and_dead(house.deps.db.read(), house.deps.clock.now()).await;
    assert_eq!(jobs.unwrap(), (3, 0));
}

#[tokio::test]
async fn everybody_decides_for_himself_only() {
    let house = House::build().await;
    let coordinator = &house.coordinator;
    let give = async |context: Context| coordinator.give_consent(&context, yes("v1")).await;
    give(by(1, guest())).await.unwrap();

    // Another tenant's ledger does not know the person.
    let foreign = by(2, guest());
    let withdrawn = coordinator.withdraw_consent(&foreign, BOOKING, meeting());
    assert_eq!(reason(withdrawn.await), "CONSENT_UNKNOWN");
    // A ticket is for one booking.
    let elsewhere = Scope::Guest {
        visit: GUEST,
        booking: BookingId::from_uuid(Uuid::from_u128(11)),
    };
    assert_eq!(code(give(by(1, elsewhere)).await), Code::NotFound);
    for scope in [Scope::Admin, Scope::BookingApp, Scope::System] {
        assert_eq!(reason(give(by(1, scope)).await), "CONSENT_IS_PERSONAL");
    }
    // Whether the meeting is the host's own only the broker can say.
    let host = give(by(1, Scope::Host(HOST))).await.unwrap_err();
    assert!(host.is_transient(), "{host:?}");
    assert_eq!(house.events().await.len(), 1);
}

#[tokio::test]
async fn recording_needs_the_consent_of_every_holder() {
    let house = House::build().await;
    let refused = house.start(Some(HOST), met(MeetingPhase::Ready)).await;
    assert_eq!(reason(refused), "CONSENT_MISSING");
    assert!(house.events().await.is_empty(), "a refusal stores nothing");

    let me = by(1, guest());
    let given = house.coordinator.give_consent(&me, yes("v1")).await;
    given.unwrap();
    // An admin does not agree in the host's place.
    let refused = house.start(None, met(MeetingPhase::Ready)).await;
    assert_eq!(reason(refused), "CONSENT_MISSING");
    let started = house.start(Some(HOST), met(MeetingPhase::Ready)).await;
    let started = started.unwrap();
    assert_eq!(started.machine().unwrap().phase, Phase::Requested);
    let told: Vec<_> = house.events().await.into_iter().map(|e| e.0).collect();
    assert_eq!(told, ["ConsentGiven", "ConsentGiven", "RecordingRequested"]);

    // A repeat answers the running one, whatever became of the meeting.
    let again = house.start(Some(HOST), met(MeetingPhase::Ended)).await;
    assert_eq!(again.unwrap(), started);

    let withdrawn = house.coordinator.withdraw_consent(&me, BOOKING, meeting());
    withdrawn.await.unwrap();
    let host = by(1, Scope::Host(HOST));
    let id = RecordingId::from_uuid(started.id);
    house.coordinator.stop_recording(&host, id).await.unwrap();
    // A recording that is being stopped still runs.
    let again = house.start(Some(HOST), met(MeetingPhase::Ready)).await;
    assert_eq!(again.unwrap().id, started.id);
    let stopped = Event::CaptureStopped {
        segment: 1,
        cause: StopCause::Requested,
    };
    house.tell(id, stopped).await;
    let refused = house.start(Some(HOST), met(MeetingPhase::Ready)).await;
    assert_eq!(reason(refused), "CONSENT_MISSING");
}

#[tokio::test]
async fn a_meeting_that_is_not_ready_is_not_recorded() {
    let house = House::build().await;
    for (phase, expected) in [
        (MeetingPhase::Pending, "MEETING_NOT_READY"),
        (MeetingPhase::Failed, "MEETING_FAILED"),
        (MeetingPhase::Cancelling, "MEETING_CANCELLED"),
        (MeetingPhase::Cancelled, "MEETING_CANCELLED"),
        (MeetingPhase::Ended, "MEETING_ENDED"),
    ] {
        assert_eq!(reason(house.start(Some(HOST), met(phase)).await), expected);
    }
    assert!(house.events().await.is_empty());
}

#[tokio::test]
async fn a_meeting_has_a_bounded_number_of_recordings() {
    let house = House::build().await;
    let over = || {
        vec![Event::CaptureFailed {
            segment: 1,
            reason: "R".into(),
        }]
    };
    for _ in 0..super::RECORDINGS_MAX {
        house.recording(over()).await;
    }
    let refused = house.start(Some(HOST), met(MeetingPhase::Ready)).await;
    assert_eq!(reason(refused), "TOO_MANY_RECORDINGS");
}

#[tokio::test]
async fn recordings_are_their_hosts_and_their_tenants() {
    let house = House::build().await;
    let coordinator = &house.coordinator;
    let started = Event::CaptureStarted { segment: 1 };
    let id = house.recording(vec![started]).await;
    let other = HostId::from_uuid(Uuid::from_u128(21));

    let get = async |context: Context| coordinator.get_recording(&context, id).await;
    for scope in [Scope::Admin, Scope::BookingApp, Scope::Host(HOST)] {
        assert_eq!(get(by(1, scope)).await.unwrap().id, id.as_uuid());
        assert_eq!(code(get(by(2, scope)).await), Code::NotFound);
    }
    assert_eq!(code(get(by(1, Scope::Host(other))).await), Code::NotFound);
    assert_eq!(code(get(by(1, guest())).await), Code::Forbidden);

    let count = async |context: Context| {
        let rows = coordinator.list_recordings(&context, BOOKING).await;
        rows.map(|rows| rows.len())
    };
    assert_eq!(count(by(1, Scope::BookingApp)).await, Ok(1));
    assert_eq!(count(by(1, Scope::Host(HOST))).await, Ok(1));
    assert_eq!(count(by(1, Scope::Host(other))).await, Ok(0));
    assert_eq!(count(by(2, Scope::Admin)).await, Ok(0));
    assert_eq!(code(count(by(1, guest())).await), Code::Forbidden);

    let pause = async |context: Context| coordinator.pause_recording(&context, id).await;
    assert_eq!(code(pause(by(1, Scope::Host(other))).await), Code::NotFound);
    assert_eq!(code(pause(by(2, Scope::Admin)).await), Code::NotFound);
    for scope in [Scope::BookingApp, guest()] {
        assert_eq!(code(pause(by(1, scope)).await), Code::Forbidden);
    }
    assert_eq!(house.phase(id).await, Phase::Recording);

    let host = || by(1, Scope::Host(HOST));
    let paused = pause(host()).await.unwrap();
    assert_eq!(pause(host()).await.unwrap(), paused);
    assert_eq!(house.phase(id).await, Phase::Pausing);
    let resumed = coordinator.resume_recording(&host(), id).await;
    assert_eq!(reason(resumed), "NOT_PAUSED");
    coordinator.stop_recording(&host(), id).await.unwrap();
    assert_eq!(house.phase(id).await, Phase::Stopping);
}

#[tokio::test]
async fn a_key_without_the_scope_sees_recordings_and_leaves_them_alone() {
    let house = House::build().await;
    let id = house.recording(Vec::new()).await;
    let mut host = by(1, Scope::Host(HOST));
    host.caller.narrowed = Some([KeyScope::Lobby].into_iter().collect());
    let coordinator = &house.coordinator;
    assert!(coordinator.get_recording(&host, id).await.is_ok());
    let stopped = coordinator.stop_recording(&host, id).await;
    assert_eq!(reason(stopped), "SCOPE_MISSING");
    let started = coordinator.start_recording(&host, BOOKING, meeting()).await;
    assert_eq!(reason(started), "SCOPE_MISSING");
    let consents = coordinator.list_consents(&host, meeting()).await;
    assert_eq!(consents.unwrap_err().reason, "SCOPE_MISSING");
    host.caller.narrowed = Some([KeyScope::Recording].into_iter().collect());
    coordinator.stop_recording(&host, id).await.unwrap();
}

#[tokio::test]
async fn a_resume_asks_the_broker_who_is_there() {
    let house = House::build().await;
    let stopped = Event::CaptureStopped {
        segment: 1,
        cause: StopCause::ConsentWithdrawn,
    };
    let facts = vec![Event::CaptureStarted { segment: 1 }, stopped];
    let id = house.recording(facts).await;
    let host = by(1, Scope::Host(HOST));
    let resumed = house.coordinator.resume_recording(&host, id).await;
    assert!(resumed.unwrap_err().is_transient());
    assert_eq!(house.phase(id).await, Phase::Paused);
}

#[tokio::test]
async fn recordings_end_with_their_meeting() {
    let house = House::build().await;
    let running = house
        .recording(vec![Event::CaptureStarted { segment: 1 }])
        .await;
    let failed = Event::CaptureFailed {
        segment: 1,
        reason: "R".into(),
    };
    let over = house.recording(vec![failed]).await;
    let origin = by(1, Scope::System).origin(&house.deps.clock);
    let stopped = house
        .deps
        .db
        .write(move |tx| Box::pin(async move { facts::stop_all(tx, &origin, meeting()).await }));
    stopped.await.unwrap();
    assert_eq!(house.phase(running).await, Phase::Stopping);
    assert!(matches!(house.phase(over).await, Phase::Failed { .. }));
}

#[tokio::test]
async fn an_artefact_is_journalled_and_then_read() {
    let house = House::build().await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i % 253) as u8).collect();
    let id = house
        .recording(vec![
            Event::CaptureStarted { segment: 1 },
            Event::StopWanted,
            Event::CaptureStopped {
                segment: 1,
                cause: StopCause::Requested,
            },
            Event::ArtefactReady { segment: 1 },
        ])
        .await;
    let rpc = Rpc::new(house.deps.callers.clone(), house.coordinator.clone());
    let read = async |context: Context| {
        let message = ReadArtefactRequest {
            recording_id: id.to_string(),
            segment: 1,
        };
        let request = context.request(&house.deps.callers, message).unwrap();
        let chunks = rpc.read_artefact(request).await.map_err(Error::from)?;
        let chunks = chunks.into_inner().map_err(Error::from);
        chunks.try_collect::<Vec<_>>().await
    };
    let host = || by(1, Scope::Host(HOST));
    assert_eq!(reason(read(host()).await), "ARTEFACT_NOT_STORED");

    let place = SegmentId {
        recording: id,
        segment: 1,
    };
    let source = stream::iter([Ok(bytes.clone().into())]).boxed();
    let store = house.coordinator.artefacts();
    let artefact = store.store(tenant(1), place, "video/mp4", source).await;
    let fact = Event::ArtefactStored {
        segment: 1,
        artefact: artefact.unwrap(),
    };
    let stored = house.tell(id, fact).await;
    assert_eq!(stored.machine().unwrap().phase, Phase::Stored);

    for scope in [Scope::BookingApp, guest()] {
        assert_eq!(code(read(by(1, scope)).await), Code::Forbidden);
    }
    assert_eq!(code(read(by(2, Scope::Admin)).await), Code::NotFound);
    let before = house.events().await;
    assert!(before.iter().all(|(kind, _)| kind != "ArtefactRead"));

    let chunks = read(host()).await.unwrap();
    assert_eq!(chunks[0].content_type, "video/mp4");
    assert_eq!(chunks[0].size_bytes, bytes.len() as u64);
    assert_eq!(chunks[1].content_type, "");
    let whole: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.data).collect();
    assert!(whole == bytes);
    let journal = house.events().await;
    let last = journal.last().unwrap();
    assert_eq!(last, &("ArtefactRead".into(), format!("host:{HOST}")));

    let file = house.dir.path().join("artefacts");
    let file = file.join(tenant(1).to_string()).join(id.to_string());
    std::fs::remove_file(file.join("1")).unwrap();
    assert_eq!(reason(read(host()).await), "ARTEFACT_MISSING");
    assert_eq!(house.events().await.len(), journal.len());
}
