//! The roster as the application sees it.

use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    graph::{
        ask::{Ask, Keys},
        error::{Answer, Failure},
        odata,
    },
    world::{Attendee, Call, Kind, Meeting, Presence, World},
};

pub async fn list(ask: Ask, Keys(id): Keys<String>) -> Answer {
    let world = ask.shared.read();
    let call = super::live(&world, &id)?;
    let shown = roster(&ask, &world, call);
    let context = format!("{}/$metadata#participants", ask.root());
    let page = json!({"@odata.context": context, "value": shown});
    Ok(odata::json(StatusCode::OK, &page))
}

pub async fn read(ask: Ask, Keys((id, participant)): Keys<(String, String)>) -> Answer {
    let world = ask.shared.read();
    let call = super::live(&world, &id)?;
    let mut found = roster(&ask, &world, call).into_iter();
    let shown = found
        .find(|shown| shown.get("id") == Some(&json!(participant)))
        .ok_or_else(Failure::not_found)?;
    Ok(odata::entity(&ask, StatusCode::OK, "participants", shown))
}

/// The application puts a person out of the meeting.
pub async fn remove(ask: Ask, Keys((id, participant)): Keys<(String, String)>) -> Answer {
    ask.shared.change(|world| {
        let meeting = super::live(world, &id)?.meeting.clone();
        present(world, &meeting, &participant)?;
        let directory = &ask.shared.directory;
        world.person(directory, &participant, ask.now_ms, |attendee| {
            attendee.leave(ask.now_ms);
        });
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

/// Somebody who is in the meeting or in its lobby.
pub fn present<'a>(world: &'a World, meeting: &str, id: &str) -> Result<&'a Attendee, Failure> {
    let people = world.meeting(meeting).map(here).into_iter().flatten();
    people
        .into_iter()
        .find(|attendee| attendee.id == id)
        .ok_or_else(Failure::not_found)
}

fn here(meeting: &Meeting) -> impl Iterator<Item = &Attendee> {
    let people = meeting.attendees.iter();
    people.filter(|attendee| attendee.presence != Presence::Left)
}

/// People, then the application itself.
fn roster(ask: &Ask, world: &World, call: &Call) -> Vec<Value> {
    let meeting = world.meeting(&call.meeting);
    let recording = meeting.and_then(Meeting::running_recording).is_some();
    let people = meeting.map(here).into_iter().flatten();
    let mut shown: Vec<Value> = people
        .map(|attendee| {
            json!({
                "@odata.type": "#microsoft.graph.participant",
                "id": attendee.id,
                "info": {"identity": identity(ask, call, world, attendee)},
                "isInLobby": attendee.presence == Presence::InLobby,
                "isMuted": false,
                "mediaStreams": [],
            })
        })
        .collect();
    shown.push(json!({
        "@odata.type": "#microsoft.graph.participant",
        "id": call.participant_id,
        "info": {"identity": {"application": {"id": ask.shared.directory.client_id}}},
        "isInLobby": false,
        "isMuted": true,
        "mediaStreams": [],
        "recordingInfo": {
            "recordingStatus": if recording { "recording" } else { "notRecording" },
        },
    }));
    shown
}

/// A `communicationsIdentitySet`.
fn identity(ask: &Ask, call: &Call, world: &World, attendee: &Attendee) -> Value {
    let directory = &ask.shared.directory;
    let meeting = world.meeting(&call.meeting);
    let organizer = meeting.and_then(|meeting| directory.user(&meeting.organizer));
    match attendee.kind {
        Kind::Organizer => json!({"user": {
            "id": organizer.map(|user| &user.id),
            "displayName": organizer.map(|user| &user.display_name),
            "tenantId": directory.tenant,
        }}),
        Kind::User => json!({"user": {
            "id": attendee.id,
            "displayName": attendee.name,
            "tenantId": directory.tenant,
        }}),
        Kind::Guest => json!({"guest": {"id": attendee.id, "displayName": attendee.name}}),
    }
}
