//! Recordings: which there are, and that their bytes are a real file.

use serde_json::{Value, json};

use crate::desk::{Desk, at, segment};

fn list(desk: &Desk, meeting: &Value) -> String {
    desk.host(&format!(
        "/onlineMeetings/{}/recordings",
        segment(&meeting["id"])
    ))
}

async fn recorded(desk: &Desk, call: &str, ms: i64) {
    assert_eq!(
        desk.act(call, "startRecording").await["status"],
        "completed"
    );
    desk.advance(ms).await;
    assert_eq!(desk.act(call, "stopRecording").await["status"], "completed");
}

#[tokio::test]
async fn each_span_is_one_recording_with_the_same_bytes_at_every_fetch() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    let organizer = desk.comes(&meeting, "organizer").await;
    let path = list(&desk, &meeting);
    recorded(&desk, &call, 2_000).await;
    recorded(&desk, &call, 3_000).await;
    desk.act(&call, "startRecording").await;
    let found = desk.get(&path).await.with(200);
    let found = found["value"].as_array().unwrap();
    assert_eq!(found.len(), 2, "the third still runs");
    let mut files = Vec::new();
    for recording in found {
        assert_eq!(recording["meetingId"], meeting["id"]);
        assert!(call.ends_with(recording["callId"].as_str().unwrap()));
        assert_eq!(
            recording["meetingOrganizer"]["user"]["id"],
            desk.env.graph_user
        );
        let one = format!("{path}/{}", recording["id"].as_str().unwrap());
        let alone = desk.get(&one).await.with(200);
        assert_eq!(
            alone["contentCorrelationId"],
            recording["contentCorrelationId"]
        );
        let content = format!("{one}/content");
        let stated = recording["recordingContentUrl"].as_str().unwrap();
        assert!(stated.starts_with(&desk.env.graph_base) && stated.ends_with("/content"));
        let first = desk.get(&content).await;
        assert_eq!(first.status, 200);
        assert_eq!(first.header("content-type"), "video/mp4");
        assert_eq!(first.bytes, desk.get(&content).await.bytes);
        files.push(first.bytes);
    }
    assert_ne!(files[0], files[1]);
    let (first, second) = (playing_ms(&files[0]), playing_ms(&files[1]));
    assert!(
        (2_000..10_000).contains(&first),
        "{first} ms of a span of a little more than 2 s"
    );
    assert!(second > 3_000, "{second} ms");
    let none = format!("{path}/none");
    desk.get(&none).await.refused(404, "NotFound");
    desk.get(&format!("{none}/content"))
        .await
        .refused(404, "NotFound");
    desk.find(&path, &[("$top", "1")])
        .await
        .refused(400, "BadRequest");
    // The last one leaves: the third ends.
    let leave = format!("attendees/{}/leave", organizer["id"].as_str().unwrap());
    desk.control(reqwest::Method::POST, &leave, None)
        .await
        .with(200);
    desk.advance(60).await;
    let found = desk.get(&path).await.with(200);
    assert_eq!(found["value"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn long_spans_are_cut_and_hanging_up_stops() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    desk.comes(&meeting, "organizer").await;
    desk.act(&call, "startRecording").await;
    desk.advance(1_800_000).await;
    desk.delete(&call).await;
    desk.advance(60).await;
    let path = list(&desk, &meeting);
    let found = desk.get(&path).await.with(200);
    let id = found["value"][0]["id"].as_str().unwrap();
    let file = desk.get(&format!("{path}/{id}/content")).await.bytes;
    assert_eq!(playing_ms(&file), 30_000);
}

#[tokio::test]
async fn only_meetings_of_the_calendar_have_recordings() {
    let desk = Desk::new().await;
    let alone = desk
        .post(&desk.host("/onlineMeetings"), json!({}))
        .await
        .with(201);
    let reply = desk.get(&list(&desk, &alone)).await;
    reply.refused(400, "BadRequest");
    let message = reply.json()["error"]["message"].clone();
    assert!(
        message.as_str().unwrap().starts_with("No iCalUid found"),
        "{message}"
    );
}

#[tokio::test]
async fn a_meeting_may_record_by_itself() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let one = desk.host(&format!("/onlineMeetings/{}", segment(&meeting["id"])));
    desk.patch(&one, json!({"recordAutomatically": true}))
        .await
        .with(200);
    desk.comes(&meeting, "guest").await;
    assert_eq!(
        desk.summary().await["meetings"][0]["recording"],
        false,
        "only the lobby has someone"
    );
    desk.comes(&meeting, "organizer").await;
    assert_eq!(desk.summary().await["meetings"][0]["recording"], true);
    // Turned off, it is refused.
    let (_, other) = desk.meeting().await;
    let one = desk.host(&format!("/onlineMeetings/{}", segment(&other["id"])));
    desk.patch(&one, json!({"allowRecording": false}))
        .await
        .with(200);
    let call = desk.call_into(&other).await;
    desk.comes(&other, "organizer").await;
    assert_eq!(desk.act(&call, "startRecording").await["status"], "failed");
}

#[tokio::test]
async fn a_removed_event_takes_calls_and_recordings_with_it() {
    let desk = Desk::new().await;
    let (event, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    desk.comes(&meeting, "organizer").await;
    recorded(&desk, &call, 1_000).await;
    let path = desk.host(&format!("/events/{}", segment(&event["id"])));
    desk.patch(&path, json!({"end": at(13)})).await.with(200);
    assert_eq!(
        desk.get(&list(&desk, &meeting)).await.with(200)["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    desk.delete(&path).await;
    desk.get(&call).await.refused(404, "NotFound");
    desk.get(&list(&desk, &meeting))
        .await
        .refused(404, "NotFound");
}

/// The content of a box inside others.
fn inside<'a>(mut bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
    for wanted in path {
        let mut rest = bytes;
        bytes = loop {
            let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            assert!(
                length >= 8 && length <= rest.len(),
                "a box fits where it is"
            );
            let content = &rest[8..length];
            if &rest[4..8] == wanted.as_bytes() {
                break content;
            }
            rest = &rest[length..];
        };
    }
    bytes
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Reads the file as a player does (ISO 14496-12): how long it plays, once samples, table and place of the sound agree.
fn playing_ms(file: &[u8]) -> u32 {
    assert_eq!(&file[4..8], b"ftyp");
    let media = ["moov", "trak", "mdia"];
    let header = inside(file, &[&media[..], &["mdhd"]].concat());
    let (rate, samples) = (number(header, 12), number(header, 16));
    let table = |name: &'static str| inside(file, &[&media[..], &["minf", "stbl", name]].concat());
    assert_eq!(&table("stsd")[12..16], b"sowt");
    let sizes = table("stsz");
    assert_eq!((number(sizes, 4), number(sizes, 8)), (2, samples));
    assert_eq!(number(table("stts"), 8), samples);
    let sound = inside(file, &["mdat"]);
    assert_eq!(sound.len(), samples as usize * 2);
    let start = number(table("stco"), 8) as usize;
    assert_eq!(&file[start..], sound, "the sound is where the table says");
    let loudest = sound
        .chunks(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .max();
    assert!(loudest.unwrap() > 1_000, "somebody is heard");
    samples / (rate / 1_000)
}
