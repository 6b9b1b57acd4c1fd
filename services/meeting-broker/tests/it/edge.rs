//! Who may ask what, and what bad input is told.

use convene_domain::{Audience, BookingId, HostId, VisitId};
use convene_kit::{Code, Error, Scope};
use convene_proto::meeting::v1 as wire;
use uuid::Uuid;

use crate::world::{Asked, HOST, OTHER_TENANT, TENANT, World, answered, guest, recording};

fn get(asked: Asked) -> wire::GetMeetingRequest {
    wire::GetMeetingRequest {
        id: asked.id.to_string(),
    }
}

fn a_guest_of(booking: BookingId) -> Scope {
    Scope::Guest {
        visit: VisitId::from_uuid(Uuid::from_u128(9)),
        booking,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_read_by_its_own_people_only() {
    let world = World::start().await;
    let asked = world.ready().await;
    let other_booking = BookingId::from_uuid(Uuid::from_u128(55));
    let other_host = HostId::from_uuid(Uuid::from_u128(66));
    for (tenant, scope, seen) in [
        (TENANT, Scope::System, true),
        (TENANT, Scope::Admin, true),
        (TENANT, Scope::BookingApp, true),
        (TENANT, Scope::Host(HOST), true),
        (TENANT, a_guest_of(asked.booking), true),
        (TENANT, Scope::Host(other_host), false),
        (TENANT, a_guest_of(other_booking), false),
        (OTHER_TENANT, Scope::System, false),
        (OTHER_TENANT, Scope::Admin, false),
        (OTHER_TENANT, Scope::Host(HOST), false),
        (OTHER_TENANT, a_guest_of(asked.booking), false),
    ] {
        let request = world.of(tenant, scope, get(asked));
        let answer = answered(world.client().get_meeting(request).await);
        match answer {
            Ok(meeting) => assert!(seen && meeting.id == asked.id.to_string(), "{scope:?}"),
            Err(error) => assert!(!seen && error.code == Code::NotFound, "{scope:?} {error}"),
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_for_roles_of_convene_only() {
    let world = World::start().await;
    let asked = world.ready().await;
    let before = world.see(asked).await;
    let id = || asked.id.to_string();
    let segment = recording().to_string();
    let (_, wish) = world.wish();
    for scope in [
        Scope::Admin,
        Scope::BookingApp,
        Scope::Host(HOST),
        a_guest_of(asked.booking),
    ] {
        macro_rules! refused {
            ($method:ident, $message:expr) => {
                let request = world.of(TENANT, scope, $message);
                let answer = world.client().$method(request).await;
                let error = Error::from(answer.map(drop).unwrap_err());
                assert_eq!(
                    error.code,
                    Code::Forbidden,
                    "{scope:?} {}",
                    stringify!($method)
                );
            };
        }
        refused!(ensure_meeting, wish.clone());
        let reason = "X".to_owned();
        refused!(
            cancel_meeting,
            wire::CancelMeetingRequest { id: id(), reason }
        );
        refused!(end_meeting, wire::EndMeetingRequest { id: id() });
        let consent = wire::RecordConsentRequest {
            meeting_id: id(),
            audience: guest(1).to_string(),
            given: true,
            version: 1,
        };
        refused!(record_consent, consent);
        let start = wire::StartCaptureRequest {
            meeting_id: id(),
            recording_id: segment.clone(),
            segment: 1,
        };
        refused!(start_capture, start);
        let stop = wire::StopCaptureRequest {
            meeting_id: id(),
            recording_id: segment.clone(),
            segment: 1,
        };
        refused!(stop_capture, stop);
        let read = wire::ReadArtefactRequest {
            meeting_id: id(),
            recording_id: segment.clone(),
            segment: 1,
        };
        refused!(read_artefact, read);
        let list = world.of(TENANT, scope, wire::ListProvidersRequest {});
        assert!(world.client().list_providers(list).await.is_ok());
    }
    assert_eq!(world.see(asked).await, before);

    // A role acting for another tenant finds nothing to command.
    let end = world.of(
        OTHER_TENANT,
        Scope::System,
        wire::EndMeetingRequest { id: id() },
    );
    let error = answered(world.client().end_meeting(end).await).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    let unsigned = world
        .client()
        .list_providers(wire::ListProvidersRequest {})
        .await;
    assert_eq!(answered(unsigned).unwrap_err().code, Code::Unauthenticated);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_names_its_field() {
    let world = World::start().await;
    let (_, good) = world.wish();
    let refused = async |change: fn(&mut wire::EnsureMeetingRequest)| {
        let mut wish = good.clone();
        change(&mut wish);
        let answer = world.client().ensure_meeting(world.system(wish)).await;
        let error = answered(answer).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument, "{error}");
        (error.reason.into_owned(), error.field.unwrap_or_default())
    };
    let named = |reason: &str, field: &str| (reason.to_owned(), field.to_owned());
    assert_eq!(
        refused(|w| w.meeting_id.clear()).await,
        named("MALFORMED_ID", "meeting_id")
    );
    assert_eq!(
        refused(|w| w.booking_id = "1".into()).await,
        named("MALFORMED_ID", "booking_id")
    );
    assert_eq!(
        refused(|w| w.host_id = "host:1".into()).await,
        named("MALFORMED_ID", "host_id")
    );
    assert_eq!(
        refused(|w| w.generation = 0).await,
        named("REQUIRED", "generation")
    );
    assert_eq!(
        refused(|w| w.generation = 2).await,
        named("FOREIGN_MEETING_ID", "meeting_id")
    );
    assert_eq!(
        refused(|w| w.subject = "  ".into()).await,
        named("REQUIRED", "subject")
    );
    assert_eq!(
        refused(|w| w.subject = "a\u{0}".into()).await,
        named("CONTROL_CHARACTER", "subject")
    );
    assert_eq!(
        refused(|w| w.organizer = "o".repeat(201)).await,
        named("TOO_LONG", "organizer")
    );
    assert_eq!(
        refused(|w| w.start = None).await,
        named("REQUIRED", "start")
    );
    assert_eq!(refused(|w| w.end = None).await, named("REQUIRED", "end"));
    assert_eq!(
        refused(|w| w.end = w.start).await,
        named("END_BEFORE_START", "end")
    );

    let asked = world.ready().await;
    let consent = wire::RecordConsentRequest {
        meeting_id: asked.id.to_string(),
        audience: "guest:1".into(),
        given: true,
        version: 1,
    };
    let error = answered(world.client().record_consent(world.system(consent)).await).unwrap_err();
    assert_eq!(
        (error.reason.as_ref(), error.field.as_deref()),
        ("MALFORMED_ID", Some("audience"))
    );
    let error = world
        .start_capture(asked, recording(), 0)
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason.as_ref(), error.field.as_deref()),
        ("REQUIRED", Some("segment"))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_can_do_is_told_with_its_losses() {
    let world = World::start().await;
    let request = world.of(TENANT, Scope::BookingApp, wire::ListProvidersRequest {});
    let answer = answered(world.client().list_providers(request).await).unwrap();
    let [provider] = answer.providers.as_slice() else {
        panic!("one adapter");
    };
    assert_eq!(provider.name, "graph-calendar");
    let names: Vec<_> = provider
        .capabilities
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    // As the contract lists them.
    let listed = [
        "CREATE",
        "UPDATE",
        "CANCEL",
        "LOBBY_BYPASS_SCOPE",
        "LOBBY_ADMIT",
        "RECORDING_START",
        "RECORDING_PAUSE",
        "ARTEFACTS",
        "EVENTS",
    ];
    assert_eq!(names, listed);
    for capability in &provider.capabilities {
        assert!(!capability.note.is_empty(), "{}", capability.name);
    }
    let audience = Audience::Host(HOST).to_string();
    assert!(
        audience.starts_with("host:"),
        "audiences are written as the contract says"
    );
    world.end().await;
}
