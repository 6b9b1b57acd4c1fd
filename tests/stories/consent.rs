//! I5: no recording without the required consent.

use convene_tests::{Booked, Cast, Guest, SetUp, World, reason, until};

use crate::DAY_MS;

crate::on_every_world!(
    who_has_not_consented_stays_outside_while_it_records,
    a_withdrawal_stops_the_recording,
);

async fn start(cast: &Cast, booked: &Booked) -> String {
    let fields = "recording { id state }";
    until("the recording is accepted", || async {
        let started = cast.host_does("startRecording", booked, fields).await;
        let id = started["startRecording"]["recording"]["id"].as_str();
        id.map(str::to_owned)
    })
    .await
}

async fn enter(cast: &Cast, world: &World, booked: &Booked, nth: usize) -> Guest {
    let guest = cast.arrive(booked, nth).await;
    cast.decide("admitVisit", &guest).await;
    let details = guest.join_details().await;
    let link = details["joinDetails"]["joinUrl"].as_str().unwrap();
    world.provider.join(link, "guest").await;
    guest
}

async fn who_has_not_consented_stays_outside_while_it_records(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    let first = enter(&cast, &world, &booked, 0).await;
    first.consents(true).await;
    start(&cast, &booked).await;
    cast.until(&booked, "/booking/recordings/0/state", "RECORDING")
        .await;

    let late = cast.arrive(&booked, 1).await;
    cast.decide("admitVisit", &late).await;
    let refused = late.join_details().await;
    assert_eq!(refused["refusal"]["reason"], "CONSENT_REQUIRED", "I5");
    late.consents(true).await;
    until("the consenting guest gets in", || async {
        let details = late.join_details().await;
        details["joinDetails"]["joinUrl"].is_string().then_some(())
    })
    .await;
    world.stop().await;
}

async fn a_withdrawal_stops_the_recording(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = enter(&cast, &world, &booked, 0).await;
    guest.consents(true).await;
    let recording = start(&cast, &booked).await;
    cast.until(&booked, "/booking/recordings/0/state", "RECORDING")
        .await;

    guest.consents(false).await;
    cast.until(&booked, "/booking/recordings/0/state", "PAUSED")
        .await;
    let meetings = world.provider.meetings().await;
    assert_eq!(meetings["meetings"][0]["recording"], false, "I5");
    let resumed = cast.on_recording("resumeRecording", &recording).await;
    assert_eq!(reason(&resumed, "resumeRecording"), "CONSENT_MISSING");

    guest.consents(true).await;
    until("it goes on", || async {
        let resumed = cast.on_recording("resumeRecording", &recording).await;
        reason(&resumed, "resumeRecording").is_empty().then_some(())
    })
    .await;
    cast.until(&booked, "/booking/recordings/0/state", "RECORDING")
        .await;
    cast.host_does("endMeeting", &booked, "booking { state }")
        .await;
    cast.until(&booked, "/booking/recordings/0/state", "STORED")
        .await;
    world.drained().await;
    world.audited().await;
    world.stop().await;
}
