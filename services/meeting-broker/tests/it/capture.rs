//! I5: recording through the provider, confirmed at every step.

use convene_domain::{Audience, RecordingId};
use convene_kit::limits::CHUNK_BYTES;
use convene_proto::meeting::v1::{self as wire, CaptureState, MeetingPhase};
use serde_json::json;

use crate::world::{Asked, TIMEOUT_MS, World, answered, guest, recording, until};

/// A segment's bytes and content type.
async fn read(
    world: &World,
    asked: Asked,
    recording: RecordingId,
    segment: u32,
) -> Result<(Vec<u8>, String), convene_kit::Error> {
    let message = wire::ReadArtefactRequest {
        meeting_id: asked.id.to_string(),
        recording_id: recording.to_string(),
        segment,
    };
    let mut chunks = answered(world.client().read_artefact(world.system(message)).await)?;
    let (mut bytes, mut content_type) = (Vec::new(), String::new());
    while let Some(chunk) = chunks.message().await? {
        assert!(chunk.data.len() <= CHUNK_BYTES);
        assert_eq!(chunk.content_type.is_empty(), !bytes.is_empty());
        bytes.extend(chunk.data);
        content_type.push_str(&chunk.content_type);
    }
    Ok((bytes, content_type))
}

/// Waits until the provider's recording of a segment is known.
async fn artefacts(world: &World, asked: Asked, count: usize) {
    until(async || (world.told(asked, "ArtefactReady").await == count).then_some(())).await;
}

/// The provider's ids of the artefacts, in the order of their segments.
async fn artefact_ids(world: &World, asked: Asked) -> Vec<(u64, String)> {
    let events = world.events(asked).await;
    let ready = events.iter().filter(|e| e.r#type == "ArtefactReady");
    let mut ids: Vec<(u64, String)> = ready
        .map(|event| {
            let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
            let id = data["artefact"].as_str().unwrap().to_owned();
            (data["segment"].as_u64().unwrap(), id)
        })
        .collect();
    ids.sort();
    ids
}

async fn capture(world: &World, asked: Asked, recording: RecordingId, segment: u32) {
    world
        .start_capture(asked, recording, segment)
        .await
        .unwrap();
    world.until_capture(asked, CaptureState::On).await;
    assert_eq!(world.provider.meeting().await["recording"], true);
}

async fn stop(world: &World, asked: Asked, recording: RecordingId, segment: u32) {
    world.stop_capture(asked, recording, segment).await;
    world.until_capture(asked, CaptureState::Off).await;
    assert_eq!(world.provider.meeting().await["recording"], false, "I5");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_recorded_and_read() {
    let world = World::start().await;
    let asked = world.ready().await;
    world.consent(asked, guest(1), true).await;
    world.release(asked, guest(1)).await.unwrap();
    let take = recording();
    for segment in [1, 2] {
        capture(&world, asked, take, segment).await;
        let running = world.see(asked).await;
        assert_eq!(
            (running.recording_id, running.segment),
            (take.to_string(), segment)
        );
        stop(&world, asked, take, segment).await;
    }
    artefacts(&world, asked, 2).await;
    let ids = artefact_ids(&world, asked).await;
    assert_ne!(ids[0].1, ids[1].1, "one for each segment");
    for segment in [1, 2] {
        let (bytes, content_type) = read(&world, asked, take, segment).await.unwrap();
        assert_eq!(content_type, "video/mp4");
        assert_eq!(&bytes[4..8], b"ftyp");
    }
    let missing = read(&world, asked, take, 3).await.unwrap_err();
    assert_eq!(missing.reason, "ARTEFACT_NOT_READY");
    assert_eq!(world.told(asked, "CallJoined").await, 1, "one call for all");

    // A repeat of either command changes nothing.
    let before = world.see(asked).await;
    assert_eq!(world.start_capture(asked, take, 2).await.unwrap(), before);
    assert_eq!(world.stop_capture(asked, take, 2).await, before);

    let end = wire::EndMeetingRequest {
        id: asked.id.to_string(),
    };
    answered(world.client().end_meeting(world.system(end)).await).unwrap();
    world.drained().await;
    assert_eq!(
        world.provider.meeting().await["calls"],
        0,
        "the broker left"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_meeting_ends_its_capture() {
    let world = World::start().await;
    let asked = world.ready().await;
    let take = recording();
    capture(&world, asked, take, 1).await;
    let end = wire::EndMeetingRequest {
        id: asked.id.to_string(),
    };
    answered(world.client().end_meeting(world.system(end)).await).unwrap();
    world.until_capture(asked, CaptureState::Off).await;
    world.drained().await;
    let meeting = world.provider.meeting().await;
    assert_eq!(
        (&meeting["recording"], &meeting["calls"]),
        (&json!(false), &json!(0))
    );
    artefacts(&world, asked, 1).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_recorded_without_consent() {
    let world = World::start().await;
    let asked = world.ready().await;
    let take = recording();
    world.release(asked, guest(1)).await.unwrap();
    let refused = world.start_capture(asked, take, 1).await.unwrap_err();
    assert_eq!(refused.reason, "CONSENT_MISSING");
    world.consent(asked, guest(1), true).await;
    capture(&world, asked, take, 1).await;
    let refused = world.release(asked, guest(2)).await.unwrap_err();
    assert_eq!(refused.reason, "CONSENT_REQUIRED");
    world.consent(asked, guest(2), true).await;
    world.release(asked, guest(2)).await.unwrap();

    let withdrawn = world.consent(asked, guest(1), false).await;
    assert_eq!(withdrawn.capture(), CaptureState::Stopping);
    world.until_capture(asked, CaptureState::Off).await;
    assert_eq!(world.provider.meeting().await["recording"], false, "I5");
    let events = world.events(asked).await;
    let stopped = events
        .iter()
        .find(|e| e.r#type == "CaptureStopped")
        .unwrap();
    assert!(stopped.data.contains("CONSENT_WITHDRAWN"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_start_and_stop_nothing_twice() {
    let world = World::start().await;
    let mut starts = 0;
    for path in [
        "/startRecording",
        "/stopRecording",
        "/operations/",
        "/participants",
    ] {
        for trouble in [
            json!("dropAfter"),
            json!("dropBefore"),
            json!({"errorAfter": {"status": 503}}),
            json!({"throttle": {"retryAfter": 0.1}}),
            json!({"delayAfter": {"ms": 5 * TIMEOUT_MS}}),
        ] {
            let method = if path.ends_with("Recording") {
                "POST"
            } else {
                "GET"
            };
            let asked = world.ready().await;
            let take = recording();
            world.provider.fault(method, path, 1, trouble.clone()).await;
            capture(&world, asked, take, 1).await;
            stop(&world, asked, take, 1).await;
            artefacts(&world, asked, 1).await;
            starts += 1;
            assert_eq!(
                world.provider.meeting().await["recordings"],
                1,
                "{trouble} on {path}"
            );
            assert_eq!(world.told(asked, "CaptureFailed").await, 0);
            world.provider.heal().await;
            world.cancel(asked).await;
            world.until_phase(asked, MeetingPhase::Cancelled).await;
        }
    }
    assert_eq!(starts, 20);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_connects_slowly_is_waited_for_and_not_joined_again() {
    let world = World::start().await;
    let asked = world.ready().await;
    let away = json!({"errorBefore": {"status": 503}});
    let calls = "/communications/calls/";
    world.provider.fault("GET", calls, 4, away).await;
    capture(&world, asked, recording(), 1).await;
    assert_eq!(
        world.provider.meeting().await["calls"],
        1,
        "no call is left over"
    );
    let joins = world
        .provider
        .requests("POST", "/communications/calls")
        .await;
    assert_eq!(joins.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ended_is_joined_again() {
    let world = World::start().await;
    let asked = world.ready().await;
    let details = world.release(asked, guest(1)).await.unwrap();
    world.consent(asked, guest(1), true).await;
    let take = recording();
    capture(&world, asked, take, 1).await;
    // The organizer ends the meeting for all: the broker's call is gone, and its recording with it.
    world.provider.end_for_all(&details.join_url).await;
    stop(&world, asked, take, 1).await;
    world.provider.organizer_joins(&asked.key()).await;
    capture(&world, asked, take, 2).await;
    stop(&world, asked, take, 2).await;
    artefacts(&world, asked, 2).await;
    assert_eq!(world.told(asked, "CallJoined").await, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_never_confirmed_is_stopped_all_the_same() {
    let world = World::start().await;
    let asked = world.ready().await;
    let (ghost, take) = (recording(), recording());
    let lost = json!({"delayAfter": {"ms": 10 * TIMEOUT_MS}});
    world
        .provider
        .fault("POST", "/startRecording", 1, lost)
        .await;
    world.start_capture(asked, ghost, 1).await.unwrap();
    until(async || {
        let recording = world.provider.meeting().await["recording"].clone();
        (recording == true).then_some(())
    })
    .await;
    // The provider records, and nobody here knows: the answer is still on its way.
    stop(&world, asked, ghost, 1).await;
    world.provider.heal().await;

    // What it recorded meanwhile is not taken for a later segment.
    capture(&world, asked, take, 1).await;
    stop(&world, asked, take, 1).await;
    artefacts(&world, asked, 2).await;
    let ids = artefact_ids(&world, asked).await;
    assert_ne!(ids[0].1, ids[1].1, "two captures, two artefacts");
    let of_take = world.events(asked).await;
    let last = of_take.iter().filter(|e| e.r#type == "CaptureStarted");
    assert_eq!(
        last.count(),
        2,
        "what ran is told, although it was not wanted any more"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_the_provider_refuses_fails_and_leaves_the_call() {
    let world = World::start().await;
    let asked = world.ready().await;
    let take = recording();
    // The event goes away behind the broker's back, and the meeting with it.
    world.provider.remove_all_events().await;
    world.start_capture(asked, take, 1).await.unwrap();
    world.until_capture(asked, CaptureState::Off).await;
    assert_eq!(world.told(asked, "CaptureFailed").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_given_up_is_stopped_before_the_door_opens() {
    let world = World::start().await;
    let asked = world.ready().await;
    let take = recording();
    // It records, but every look at it fails: 20 tries later nobody knows.
    let lost = json!({"throttle": {"retryAfter": 0}});
    world
        .provider
        .fault("GET", "/operations/", 0, lost.clone())
        .await;
    world.provider.fault("GET", "/participants", 0, lost).await;
    world.start_capture(asked, take, 1).await.unwrap();
    world.until_capture(asked, CaptureState::Stopping).await;
    let refused = world.release(asked, guest(1)).await.unwrap_err();
    assert_eq!(refused.reason, "CONSENT_REQUIRED", "I5: it may record");
    world.provider.heal().await;
    world.until_capture(asked, CaptureState::Off).await;
    assert_eq!(world.provider.meeting().await["recording"], false, "I5");
    world.release(asked, guest(1)).await.unwrap();
    world.end().await;
}

/// "Given" was on its way for long and arrives behind the "withdrawn" that followed it.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_arrives_late_changes_nothing() {
    let world = World::start().await;
    let asked = world.ready().await;
    world.release(asked, guest(1)).await.unwrap();
    world.consent_of_version(asked, guest(1), false, 3).await;
    let late = world.consent_of_version(asked, guest(1), true, 2).await;
    assert_eq!(late.holders_without_consent, [guest(1).to_string()], "I5");
    let refused = world.start_capture(asked, recording(), 1).await;
    assert_eq!(refused.unwrap_err().reason, "CONSENT_MISSING");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_consent_like_everybody_else() {
    let world = World::start().await;
    let asked = world.ready().await;
    let host = Audience::Host(crate::world::HOST);
    world.release(asked, host).await.unwrap();
    let refused = world
        .start_capture(asked, recording(), 1)
        .await
        .unwrap_err();
    assert_eq!(refused.reason, "CONSENT_MISSING");
    world.consent(asked, host, true).await;
    capture(&world, asked, recording(), 1).await;
    world.end().await;
}
