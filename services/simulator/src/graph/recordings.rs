//! Recordings of calendar-backed meetings (`callRecording` resource type).

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    response::IntoResponse as _,
    routing::get,
};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{Answer, error::Failure, meetings, request};
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

async fn list(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
) -> Answer {
    let user = meetings::covered(&shared, &key)?;
    let world = shared.read();
    let meeting = backed(&world, user, &id)?;
    let shown: Vec<Value> = finished(&shared, &world, meeting)
        .map(|recording| show(&shared, user, recording))
        .collect();
    Ok(request::json(StatusCode::OK, &json!({ "value": shown })))
}

async fn read(
    State(shared): State<Arc<Shared>>,
    Path((key, id, recording)): Path<(String, String, String)>,
) -> Answer {
    let user = meetings::covered(&shared, &key)?;
    let world = shared.read();
    let meeting = backed(&world, user, &id)?;
    let found = finished(&shared, &world, meeting).find(|r| r.id == recording);
    let shown = show(&shared, user, found.ok_or_else(Failure::not_found)?);
    Ok(request::json(StatusCode::OK, &shown))
}

async fn content(
    State(shared): State<Arc<Shared>>,
    Path((key, id, recording)): Path<(String, String, String)>,
) -> Answer {
    let user = meetings::covered(&shared, &key)?;
    let bytes = {
        let world = shared.read();
        let meeting = backed(&world, user, &id)?;
        let found = finished(&shared, &world, meeting).find(|r| r.id == recording);
        let found = found.ok_or_else(Failure::not_found)?;
        let length_ms = found.ended_ms.unwrap_or(found.started_ms) - found.started_ms;
        media::mp4(length_ms, found.voices)
    };
    Ok(([(header::CONTENT_TYPE, "video/mp4")], bytes).into_response())
}

/// Recordings exist for meetings of the calendar only.
fn backed<'a>(world: &'a World, user: &User, id: &str) -> Result<&'a Meeting, Failure> {
    let meeting = meetings::own(world, user, id)?;
    if meeting.event.is_none() {
        return Err(Failure::bad(
            "No iCalUid found for the meeting. This API is supported only for calendar backed OnlineMeeting.",
        ));
    }
    Ok(meeting)
}

/// Those that the cloud has finished processing, in order of their start.
fn finished<'a>(
    shared: &Shared,
    world: &'a World,
    meeting: &'a Meeting,
) -> impl Iterator<Item = &'a Recording> {
    let now_ms = shared.clock.now_ms();
    world.recordings.iter().filter(move |recording| {
        recording.meeting == meeting.id
            && recording
                .ended_ms
                .is_some_and(|ended| ended + SETTLE_MS <= now_ms)
    })
}

fn show(shared: &Shared, user: &User, recording: &Recording) -> Value {
    let place = format!(
        "{}/v1.0/users/{}/onlineMeetings/{}/recordings/{}/content",
        shared.base_url(),
        user.id,
        recording.meeting,
        recording.id
    );
    json!({
        "@odata.type": "#microsoft.graph.callRecording",
        "id": recording.id,
        "meetingId": recording.meeting,
        "callId": recording.call,
        "contentCorrelationId": recording.id,
        "createdDateTime": rfc3339(recording.started_ms),
        "endDateTime": recording.ended_ms.map(rfc3339),
        "meetingOrganizer": {"user": {"id": user.id, "displayName": user.display_name}},
        "recordingContentUrl": place,
    })
}
