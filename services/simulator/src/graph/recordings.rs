//! Recordings of calendar-backed meetings (`callRecording` resource type).

use std::sync::Arc;

use axum::{Router, response::IntoResponse as _, routing::get};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{
    ask::{Ask, Keys},
    error::{Answer, Failure},
    meetings, odata,
};
use crate::{
    clock::rfc3339,
    media,
    state::Shared,
    world::{Meeting, Recording, SETTLE_MS, User, World},
};

pub fn routes() -> Router<Arc<Shared>> {
    let base = "/users/{user}/onlineMeetings/{meeting}/recordings";
    Router::new()
        .route(base, get(list))
        .route(&format!("{base}/{{recording}}"), get(read))
        .route(&format!("{base}/{{recording}}/content"), get(content))
}

/// It takes no query options.
async fn list(ask: Ask, Keys((key, id)): Keys<(String, String)>) -> Answer {
    let user = ask.covered(&key)?;
    ask.only(&[])?;
    let world = ask.shared.read();
    let meeting = backed(&world, user, &id)?;
    let found = finished(meeting, ask.now_ms);
    let shown: Vec<Value> = found.map(|one| show(&ask, user, meeting, one)).collect();
    let context = format!(
        "{}/$metadata#users('{}')/onlineMeetings('{id}')/recordings",
        ask.root(),
        user.id
    );
    let page = json!({"@odata.context": context, "value": shown});
    Ok(odata::json(StatusCode::OK, &page))
}

async fn read(ask: Ask, Keys((key, id, recording)): Keys<(String, String, String)>) -> Answer {
    let user = ask.covered(&key)?;
    ask.only(&[])?;
    let world = ask.shared.read();
    let meeting = backed(&world, user, &id)?;
    let shown = show(&ask, user, meeting, one(meeting, &recording, ask.now_ms)?);
    Ok(odata::entity(&ask, StatusCode::OK, "recordings", shown))
}

async fn content(ask: Ask, Keys((key, id, recording)): Keys<(String, String, String)>) -> Answer {
    let user = ask.covered(&key)?;
    let (length_ms, voices) = {
        let world = ask.shared.read();
        let found = one(backed(&world, user, &id)?, &recording, ask.now_ms)?;
        let ended_ms = found.ended_ms.unwrap_or(found.started_ms);
        (ended_ms - found.started_ms, found.voices)
    };
    let bytes = media::mp4(&recording, length_ms, voices);
    Ok(([(header::CONTENT_TYPE, "video/mp4")], bytes).into_response())
}

/// Recordings exist for meetings of the calendar only.
fn backed<'a>(world: &'a World, user: &User, id: &str) -> Result<&'a Meeting, Failure> {
    let meeting = meetings::own(world, user, id)?;
    if meeting.event.is_some() {
        return Ok(meeting);
    }
    Err(Failure::bad(
        "No iCalUid found for the meeting. This API is supported only for calendar backed OnlineMeeting.",
    ))
}

fn one<'a>(meeting: &'a Meeting, id: &str, now_ms: i64) -> Result<&'a Recording, Failure> {
    finished(meeting, now_ms)
        .find(|recording| recording.id == id)
        .ok_or_else(Failure::not_found)
}

/// Those that the cloud has finished processing, in order of their start.
fn finished(meeting: &Meeting, now_ms: i64) -> impl Iterator<Item = &Recording> {
    meeting.recordings.iter().filter(move |recording| {
        let ended = recording.ended_ms;
        ended.is_some_and(|ended| ended + SETTLE_MS <= now_ms)
    })
}

fn show(ask: &Ask, user: &User, meeting: &Meeting, recording: &Recording) -> Value {
    let place = format!(
        "{}/users/{}/onlineMeetings/{}/recordings/{}/content",
        ask.root(),
        user.id,
        meeting.id,
        recording.id
    );
    json!({
        "@odata.type": "#microsoft.graph.callRecording",
        "id": recording.id,
        "meetingId": meeting.id,
        "callId": recording.call,
        "contentCorrelationId": recording.correlation_id,
        "createdDateTime": rfc3339(recording.started_ms),
        "endDateTime": recording.ended_ms.map(rfc3339),
        "meetingOrganizer": {"user": {
            "id": user.id,
            "displayName": user.display_name,
            "tenantId": ask.shared.directory.tenant,
        }},
        "recordingContentUrl": place,
    })
}
