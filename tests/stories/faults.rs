//! Whatever fails on the way, and whichever effect is acted twice: every story has one end.

use convene_tests::{Cast, World, faults, reason, until};
use serde_json::{Value, json};

use crate::{
    DAY_MS,
    reschedule::{at_its_time, reschedule},
};

const HALF_HOUR_MS: i64 = 30 * 60_000;

/// Two guests: one is let in and gets the link, one is turned away; the host gets the link and ends the meeting.
async fn visits(world: &World) -> Value {
    let cast = Cast::new(world, 1).await;
    let booked = cast.book(world, DAY_MS, 2).await;
    let (first, second) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    let decided = cast.decide("admitVisit", &first).await;
    assert_eq!(reason(&decided, "admitVisit"), "");
    let decided = cast.decide("denyVisit", &second).await;
    assert_eq!(reason(&decided, "denyVisit"), "");
    let details = first.join_details().await;
    assert_eq!(
        details["joinDetails"]["joinUrl"],
        cast.host_link(&booked).await
    );
    cast.host_does("endMeeting", &booked, "booking { state }")
        .await;
    cast.until(&booked, "/booking/meeting/state", "ENDED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    world.drained().await;
    json!([
        cast.see(&booked).await,
        first.see().await,
        second.see().await
    ])
}

/// Called off with a guest waiting.
async fn cancelled(world: &World) -> Value {
    let cast = Cast::new(world, 1).await;
    let booked = cast.book(world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let query = "mutation($id: ID!, $key: String!) { cancelBooking(input: { bookingId: $id, idempotencyKey: $key, reason: \"ILL\" }) { refusal { reason } } }";
    let done = cast
        .app
        .call(query, json!({"id": booked.id, "key": booked.id}));
    assert_eq!(reason(&done.await.unwrap(), "cancelBooking"), "");
    cast.until(&booked, "/booking/meeting/state", "CANCELLED")
        .await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    world.drained().await;
    json!([cast.see(&booked).await, guest.see().await])
}

/// Given another time with a guest inside; the provider's event follows.
async fn moved(world: &World) -> Value {
    let cast = Cast::new(world, 1).await;
    let booked = cast.book(world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    cast.decide("admitVisit", &guest).await;
    let key = json!({ "idempotencyKey": booked.id });
    let moved = reschedule(world, &cast, &booked.id, 2 * DAY_MS, key).await;
    assert_eq!(moved["refusal"], json!(null));
    world.drained().await;
    let details = guest.join_details().await;
    json!([
        cast.see(&booked).await,
        guest.see().await,
        details["joinDetails"]["joinUrl"] == cast.host_link(&booked).await,
        at_its_time(world, &cast, &booked).await,
    ])
}

/// Nobody comes and nobody ends it: timers do.
async fn forgotten(world: &World) -> Value {
    let cast = Cast::new(world, 1).await;
    let booked = cast.book(world, DAY_MS, 1).await;
    world
        .advance_beyond(DAY_MS + 2 * HALF_HOUR_MS + 60_000)
        .await;
    cast.until(&booked, "/booking/state", "COMPLETED").await;
    cast.until(&booked, "/booking/meeting/state", "ENDED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    world.drained().await;
    cast.see(&booked).await
}

/// Recorded with a pause, to the stored artefacts.
async fn recorded(world: &World) -> Value {
    let cast = Cast::new(world, 1).await;
    let booked = cast.book(world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    cast.decide("admitVisit", &guest).await;
    guest.consents(true).await;
    let details = guest.join_details().await;
    let link = details["joinDetails"]["joinUrl"].as_str().unwrap();
    world.provider.join(link, "guest").await;
    let recording = until("the recording is accepted", || async {
        let started = cast
            .host_does("startRecording", &booked, "recording { id }")
            .await;
        let id = started["startRecording"]["recording"]["id"].as_str();
        id.map(str::to_owned)
    })
    .await;
    for (command, state) in [
        ("", "RECORDING"),
        ("pauseRecording", "PAUSED"),
        ("resumeRecording", "RECORDING"),
        ("stopRecording", "STORED"),
    ] {
        if !command.is_empty() {
            let told = cast.on_recording(command, &recording).await;
            assert_eq!(reason(&told, command), "", "{command}");
        }
        cast.until(&booked, "/booking/recordings/0/state", state)
            .await;
    }
    cast.host_does("endMeeting", &booked, "booking { state }")
        .await;
    cast.until(&booked, "/booking/meeting/state", "ENDED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    world.drained().await;
    cast.see(&booked).await
}

/// Hardly a plan misses its place.
fn thorough(tried: faults::Tried) {
    assert!(tried.missed * 4 < tried.disturbed, "{tried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn visits_have_one_end() {
    thorough(faults::each_effect(visits).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancellations_have_one_end() {
    thorough(faults::each_effect(cancelled).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_have_one_end() {
    thorough(faults::each_effect(moved).await);
    thorough(faults::each_request(moved).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_have_one_end() {
    thorough(faults::each_effect(forgotten).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_have_one_end() {
    thorough(faults::each_effect(recorded).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_have_one_end() {
    thorough(faults::each_effect(crate::workflows::nobody_came).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_in_trouble_changes_no_end() {
    thorough(faults::each_request(recorded).await);
    thorough(faults::each_request(cancelled).await);
}
