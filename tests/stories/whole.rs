//! The whole story, with what must be true around it.

use convene_tests::{SetUp, World, reason, until};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    from_request_to_recording,
    a_cancelled_booking_leaves_nothing_behind,
);
crate::on_replicas!(
    from_request_to_recording,
    a_cancelled_booking_leaves_nothing_behind,
);

async fn from_request_to_recording(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    assert_eq!(world.provider.live_events().await, 1);

    let (first, second) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    assert_eq!(first.see().await["position"], 1);
    assert_eq!(second.see().await["position"], 2);
    let admitted = cast.decide("admitVisit", &first).await;
    assert_eq!(admitted["admitVisit"]["visit"]["state"], "ADMITTED");
    assert_eq!(second.see().await["position"], 1, "the queue moves up");
    let denied = cast.decide("denyVisit", &second).await;
    assert_eq!(denied["denyVisit"]["visit"]["state"], "DENIED");

    let details = first.join_details().await;
    let link = details["joinDetails"]["joinUrl"].as_str().unwrap();
    assert_eq!(second.join_details().await["refusal"]["reason"], "DENIED");
    // Convene's lobby was enough: nobody queues a second time at the provider.
    assert_eq!(world.provider.join(link, "guest").await, "inMeeting");
    let host_link = cast.host_link(&booked).await;
    assert_eq!(host_link, link);

    let started = cast
        .host_does("startRecording", &booked, "recording { id state }")
        .await;
    assert_eq!(reason(&started, "startRecording"), "CONSENT_MISSING");
    first.consents(true).await;
    let recording = until("the recording is accepted", || async {
        let started = cast
            .host_does("startRecording", &booked, "recording { id state }")
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
    let seen = cast.see(&booked).await;
    let artefacts = &seen["booking"]["recordings"][0]["artefacts"];
    assert_eq!(artefacts.as_array().unwrap().len(), 2, "one per segment");

    download(&world, &cast, &recording).await;

    let ended = cast
        .host_does("endMeeting", &booked, "booking { state }")
        .await;
    assert_eq!(ended["endMeeting"]["booking"]["state"], "COMPLETED");
    cast.until(&booked, "/booking/meeting/state", "ENDED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    assert_eq!(first.see().await["state"], "ADMITTED");
    assert_eq!(
        first.join_details().await["refusal"]["reason"],
        "MEETING_ENDED"
    );

    world.drained().await;
    assert!(world.audited().await > 40);
    let calls = world.provider.meetings().await["meetings"][0]["calls"].clone();
    assert_eq!(calls, 0, "the broker left the meeting");
    world.stop().await;
}

/// Bytes by link: for the caller of the link only, with the checksum that the API states.
async fn download(world: &World, cast: &convene_tests::Cast, recording: &str) {
    let query = "query($id: ID!) { node(id: $id) { ... on Recording { artefacts { sizeBytes sha256 downloadUrl } } } }";
    let seen = cast
        .host
        .call(query, json!({ "id": recording }))
        .await
        .unwrap();
    for artefact in seen["node"]["artefacts"].as_array().unwrap() {
        let link = format!("{}{}", world.url, artefact["downloadUrl"].as_str().unwrap());
        let bytes = cast.host.fetch(&link).await.unwrap();
        assert_eq!(bytes.len() as u64, artefact["sizeBytes"].as_u64().unwrap());
        let sha256 = convene_kit::digest::hex(&convene_kit::digest::sha256(&bytes));
        assert_eq!(artefact["sha256"], sha256.as_str());
        assert_eq!(&bytes[4..8], b"ftyp", "an MP4 file");
        assert!(
            world.admin.fetch(&link).await.is_err(),
            "a link is for one caller"
        );
        assert!(
            cast.host.fetch(&format!("{link}x")).await.is_err(),
            "forged"
        );
    }
    let seen = cast
        .app
        .call(query, json!({ "id": recording }))
        .await
        .unwrap();
    let link = &seen["node"]["artefacts"][0]["downloadUrl"];
    assert_eq!(*link, Value::Null, "booking apps do not read media");
}

async fn a_cancelled_booking_leaves_nothing_behind(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let query = "mutation($id: ID!, $key: String!) { cancelBooking(input: { bookingId: $id, idempotencyKey: $key, reason: \"HOST_IS_ILL\" }) { booking { state cancelReason } refusal { reason } } }";
    let variables = json!({"id": booked.id, "key": "c1"});
    let cancelled = cast.app.call(query, variables.clone()).await.unwrap();
    assert_eq!(cancelled["cancelBooking"]["booking"]["state"], "CANCELLED");
    let again = cast.app.call(query, variables).await.unwrap();
    assert_eq!(
        again["cancelBooking"]["booking"]["cancelReason"],
        "HOST_IS_ILL"
    );

    cast.until(&booked, "/booking/meeting/state", "CANCELLED")
        .await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    assert_eq!(guest.see().await["state"], "TIMED_OUT");
    assert_eq!(world.provider.live_events().await, 0, "I2");
    let next = cast.book(&world, DAY_MS, 1).await;
    assert_ne!(next.id, booked.id, "the slot is free again");
    world.drained().await;
    world.audited().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_live_in_one_process() {
    let (one, other) = (World::embedded().await, World::embedded().await);
    let (cast, theirs) = (one.cast().await, other.cast().await);
    let booked = cast.book(&one, DAY_MS, 1).await;
    other.advance(DAY_MS).await;
    assert!(other.now().await - one.now().await > chrono::TimeDelta::hours(23));
    let foreign = theirs.app.answer(
        "query($id: ID!) { booking(id: $id) { id } }",
        json!({"id": booked.id}),
    );
    assert_eq!(convene_tests::fault(&foreign.await.unwrap()), "NOT_FOUND");
    one.stop().await;
    other.stop().await;
}
