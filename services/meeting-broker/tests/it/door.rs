//! I3: join details leave through a permit, to its one audience.

use convene_domain::{Audience, HostId, permit::PermitClaims};
use convene_kit::{Code, Error, Scope, keys::Keys};
use convene_proto::meeting::v1::{self as wire, MeetingPhase};
use uuid::Uuid;

use crate::world::{Asked, HOST, OTHER_TENANT, TENANT, World, answered, guest, logged, scope};

async fn show(
    world: &World,
    scope: Scope,
    audience: Audience,
    permit: String,
) -> Result<wire::JoinDetails, Error> {
    let message = wire::ReleaseJoinDetailsRequest {
        permit,
        audience: audience.to_string(),
    };
    let request = world.of(TENANT, scope, message);
    answered(world.client().release_join_details(request).await)
}

/// Shows a permit as its own audience would.
async fn show_claims(world: &World, asked: Asked, claims: &PermitClaims) -> Error {
    let scope = scope(asked.booking, claims.audience);
    let shown = show(world, scope, claims.audience, world.sign(claims)).await;
    shown.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_opens_the_door_for_its_audience() {
    let world = World::start().await;
    let asked = world.ready().await;
    for audience in [guest(1), Audience::Host(HOST)] {
        let details = world.release(asked, audience).await.unwrap();
        assert_eq!(details.meeting_id, asked.id.to_string());
        assert!(!details.join_meeting_id.is_empty() && !details.passcode.is_empty());
        assert_eq!(world.provider.opens(&details.join_url).await, 201);
        assert_eq!(world.release(asked, audience).await.unwrap(), details);
    }
    assert_eq!(
        world.told(asked, "JoinDetailsReleased").await,
        2,
        "once for each"
    );
    let seen = world.see(asked).await;
    assert_eq!(seen.holders.len(), 2);
    assert_eq!(seen.holders_without_consent.len(), 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_that_is_not_ours_opens_nothing() {
    let world = World::start().await;
    let asked = world.ready().await;
    let audience = guest(1);
    let claims = world.claims(asked, audience);
    let good = world.sign(&claims);
    let theirs = Keys::ephemeral().unwrap().permit().unwrap();
    let (body, signature) = good.split_once('.').unwrap();
    let other = world.sign(&world.claims(asked, guest(2)));
    let (other_body, _) = other.split_once('.').unwrap();
    for forged in [
        String::new(),
        "x.y".to_owned(),
        body.to_owned(),
        format!("{body}."),
        format!("{other_body}.{signature}"),
        theirs.sign(&claims).unwrap(),
        "a".repeat(10_000),
    ] {
        let own = scope(asked.booking, audience);
        let error = show(&world, own, audience, forged).await.unwrap_err();
        assert_eq!(
            (error.code, error.reason.as_ref()),
            (Code::Unauthenticated, "PERMIT_FORGED")
        );
    }
    nothing_left(&world, asked).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_for_nobody_else() {
    let world = World::start().await;
    let asked = world.ready().await;
    let (mine, other) = (guest(1), guest(2));
    let permit = world.sign(&world.claims(asked, mine));
    let another_host = HostId::from_uuid(Uuid::from_u128(77));
    for (scope, claimed) in [
        (scope(asked.booking, other), mine),
        (scope(asked.booking, other), other),
        (scope(asked.booking, mine), other),
        (Scope::Host(HOST), mine),
        (Scope::Host(HOST), Audience::Host(HOST)),
        (Scope::Host(another_host), mine),
        (Scope::System, mine),
        (Scope::Admin, mine),
        (Scope::BookingApp, mine),
    ] {
        let error = show(&world, scope, claimed, permit.clone()).await;
        assert_eq!(error.unwrap_err().code, Code::Forbidden, "{scope:?}");
    }
    // Another tenant's permit names a meeting that does not exist for the caller, and so does one for an unknown meeting.
    let foreign = PermitClaims {
        tenant: OTHER_TENANT,
        ..world.claims(asked, mine)
    };
    let unknown = PermitClaims {
        meeting: asked.booking.meeting(2),
        ..world.claims(asked, mine)
    };
    for claims in [foreign, unknown] {
        let error = show_claims(&world, asked, &claims).await;
        assert_eq!(error.code, Code::NotFound);
    }
    // A caller of another tenant with this tenant's permit finds nothing either.
    let message = wire::ReleaseJoinDetailsRequest {
        permit,
        audience: mine.to_string(),
    };
    let request = world.of(OTHER_TENANT, scope(asked.booking, mine), message);
    let error = answered(world.client().release_join_details(request).await).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    nothing_left(&world, asked).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_lasts_as_long_as_business_time_says() {
    let world = World::start().await;
    let asked = world.ready().await;
    let claims = world.claims(asked, guest(1));
    world.advance(60_001);
    let error = show_claims(&world, asked, &claims).await;
    assert_eq!(
        (error.code, error.reason.as_ref()),
        (Code::Refused, "PERMIT_EXPIRED")
    );
    nothing_left(&world, asked).await;
    world.release(asked, guest(1)).await.unwrap();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_door_before_or_after_the_meeting() {
    let world = World::start().await;
    let throttle = serde_json::json!({"throttle": {"retryAfter": 0.3}});
    world.provider.fault("POST", "/events", 0, throttle).await;
    let asked = world.ask().await;
    let refused = async |asked| {
        let error = world.release(asked, guest(1)).await.unwrap_err();
        error.reason.into_owned()
    };
    assert_eq!(refused(asked).await, "MEETING_NOT_READY");
    world.provider.heal().await;
    world.until_phase(asked, MeetingPhase::Ready).await;
    let ended = world.ready().await;
    world.cancel(asked).await;
    assert_eq!(refused(asked).await, "MEETING_CANCELLED");
    world.until_phase(asked, MeetingPhase::Cancelled).await;
    assert_eq!(refused(asked).await, "MEETING_CANCELLED");
    let end = wire::EndMeetingRequest {
        id: ended.id.to_string(),
    };
    answered(world.client().end_meeting(world.system(end)).await).unwrap();
    assert_eq!(refused(ended).await, "MEETING_ENDED");
    nothing_left(&world, asked).await;
    nothing_left(&world, ended).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn join_details_are_in_no_file_and_no_log() {
    let world = World::start().await;
    let asked = world.ready().await;
    let details = world.release(asked, guest(1)).await.unwrap();
    world.drained().await;
    // The passcode is too short to be looked for in bytes that are random.
    let secrets = [details.join_url, details.join_meeting_id];
    let leaks = |bytes: &[u8]| {
        let holds = |text: &String| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        secrets.iter().any(holds)
    };
    let files = |folder: &std::path::Path| -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(folder).unwrap();
        // SQLite removes its side files when the last connection closes, which may be now.
        entries
            .filter_map(|entry| std::fs::read(entry.unwrap().path()).ok())
            .collect()
    };
    // While it runs the write-ahead log holds what the database does not yet; afterwards the database has all.
    let running = files(world.data());
    let folder = world.end().await;
    for bytes in running.iter().chain(&files(folder.path())) {
        assert!(!leaks(bytes), "a file holds join details");
    }
    // The machine's state is text, and holds the booking: the right files were looked into.
    let booking = asked.booking.to_string();
    let known = |bytes: &Vec<u8>| bytes.windows(36).any(|w| w == booking.as_bytes());
    assert!(running.iter().any(known));
    let log = logged();
    assert!(log.contains("/users/{user}/events"), "there is a log");
    assert!(!leaks(log.as_bytes()), "the log holds join details");
}

/// A refused permit changes nothing.
async fn nothing_left(world: &World, asked: Asked) {
    assert_eq!(world.told(asked, "JoinDetailsReleased").await, 0, "I3");
    assert!(world.see(asked).await.holders.is_empty(), "I3");
}
