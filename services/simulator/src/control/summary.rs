//! What there is and what there was, for tests that count. No subjects, no links, no names.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{
    state::Shared,
    world::{Attendee, Event, Meeting, Recording, World},
};

/// `{events, meetings, removed, createdEvents}`.
pub async fn meetings(State(shared): State<Arc<Shared>>) -> Response {
    let world = shared.read();
    let events: Vec<Value> = world.events().map(event).collect();
    let meetings: Vec<Value> = world.meetings().map(|one| meeting(&world, one)).collect();
    let removed: Vec<_> = world.removed().collect();
    Json(json!({
        "events": events,
        "meetings": meetings,
        "removed": removed,
        "createdEvents": world.created_events(),
    }))
    .into_response()
}

fn event(event: &Event) -> Value {
    json!({
        "id": event.id,
        "organizer": event.organizer,
        "transactionId": event.transaction_id,
        "meeting": event.meeting,
        "startMs": event.start_ms,
        "endMs": event.end_ms,
    })
}

fn meeting(world: &World, meeting: &Meeting) -> Value {
    let event = meeting.event.as_ref();
    let event = event.and_then(|id| world.event(&meeting.organizer, id));
    let ended = |recording: &&Recording| recording.ended_ms.is_some();
    let attendees: Vec<Value> = meeting.attendees.iter().map(attendee).collect();
    json!({
        "id": meeting.id,
        "organizer": meeting.organizer,
        "event": meeting.event,
        "transactionId": event.map(|event| &event.transaction_id),
        "externalId": meeting.external_id,
        "lobbyBypassScope": meeting.lobby_scope,
        "attendees": attendees,
        "recording": meeting.running_recording().is_some(),
        "recordings": meeting.recordings.iter().filter(ended).count(),
        "calls": meeting.calls.len(),
    })
}

fn attendee(attendee: &Attendee) -> Value {
    json!({
        "id": attendee.id,
        "kind": attendee.kind,
        "presence": attendee.presence,
        "arrivedMs": attendee.arrived_ms,
        "leftMs": attendee.left_ms,
    })
}
