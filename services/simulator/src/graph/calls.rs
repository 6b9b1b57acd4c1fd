//! Calls of the application into meetings (cloud communications API), with the beta recording actions.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{Answer, error::Failure, request};
use crate::{
    state::Shared,
    world::{Call, Members, Operation, Presence, Recording, SETTLE_MS, World, derived_uuid},
};

/// `clientContext`, in characters.
const CLIENT_CONTEXT_MAX: usize = 256;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/communications/calls", post(join))
        .route("/communications/calls/{call}", get(read).delete(hang_up))
        .route("/communications/calls/{call}/keepAlive", post(keep_alive))
        .route(
            "/communications/calls/{call}/participants",
            get(participants),
        )
        .route(
            "/communications/calls/{call}/operations/{operation}",
            get(operation),
        )
}

/// In beta only, by Graph's permission rows of 2026.
pub fn beta_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/communications/calls/{call}/startRecording", post(start))
        .route("/communications/calls/{call}/stopRecording", post(stop))
        .route(
            "/communications/calls/{call}/participants/admitAllFromLobby",
            post(admit_all),
        )
}

async fn join(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let body = request::object(&body)?;
    let callback = body.get("callbackUri").and_then(Value::as_str);
    if callback.is_none_or(|uri| !uri.starts_with("https://") && !uri.starts_with("http://")) {
        return Err(Failure::bad("callbackUri must be an absolute URI."));
    }
    let now_ms = shared.clock.now_ms();
    let seed = shared.directory.seed;
    shared.change(|world| {
        let meeting = meeting_of(world, &body)?;
        let number = world.next();
        let id = |what: &str| derived_uuid(seed, &format!("{what}/{number}"));
        let call = Call {
            id: id("call"),
            meeting,
            chain_id: id("chain"),
            participant_id: id("participant"),
            established_ms: now_ms + SETTLE_MS,
            operations: std::collections::BTreeMap::new(),
        };
        let shown = show(&call, now_ms);
        let place = format!(
            "{}/v1.0/communications/calls/{}",
            shared.base_url(),
            call.id
        );
        world.calls.insert(call.id.clone(), call);
        Ok(located(StatusCode::CREATED, &place, &shown))
    })
}

/// The meeting that `meetingInfo` and `chatInfo` name.
fn meeting_of(world: &World, body: &Members) -> Result<String, Failure> {
    let info = body.get("meetingInfo").ok_or_else(|| {
        Failure::bad("The simulator joins meetings only: meetingInfo is required.")
    })?;
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let kind = text(info, "/@odata.type").unwrap_or_default();
    let found = match kind.as_str() {
        "#microsoft.graph.joinMeetingIdMeetingInfo" => {
            let id = text(info, "/joinMeetingId");
            let passcode = text(info, "/passcode");
            world.meetings.values().find(|meeting| {
                Some(&meeting.join_meeting_id) == id.as_ref()
                    && (meeting.passcode.is_none() || meeting.passcode == passcode)
            })
        }
        "#microsoft.graph.organizerMeetingInfo" => {
            let organizer = text(info, "/organizer/user/id");
            let thread = body
                .get("chatInfo")
                .and_then(|chat| text(chat, "/threadId"));
            world.meetings.values().find(|meeting| {
                Some(&meeting.organizer) == organizer.as_ref()
                    && Some(&meeting.thread_id) == thread.as_ref()
            })
        }
        _ => {
            return Err(Failure::bad(
                "meetingInfo must be organizerMeetingInfo or joinMeetingIdMeetingInfo.",
            ));
        }
    };
    found
        .map(|meeting| meeting.id.clone())
        .ok_or_else(Failure::not_found)
}

fn show(call: &Call, now_ms: i64) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.call",
        "id": call.id,
        "state": call.state(now_ms),
        "direction": "outgoing",
        "callChainId": call.chain_id,
        "myParticipantId": call.participant_id,
    })
}

async fn read(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    let world = shared.read();
    let call = world.calls.get(&id).ok_or_else(Failure::not_found)?;
    Ok(request::json(
        StatusCode::OK,
        &show(call, shared.clock.now_ms()),
    ))
}

async fn hang_up(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    let now_ms = shared.clock.now_ms();
    let ended = shared.change(|world| world.end_call(&id, now_ms));
    ended.ok_or_else(Failure::not_found)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn keep_alive(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    shared
        .read()
        .calls
        .get(&id)
        .ok_or_else(Failure::not_found)?;
    // An empty 200 must not claim to be JSON: official clients would try to parse it.
    Ok(StatusCode::OK.into_response())
}

async fn participants(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Answer {
    let mut world = shared.read();
    let call = world.calls.get(&id).ok_or_else(Failure::not_found)?.clone();
    let recording = world.running_recording(&call.meeting).is_some();
    let status = if recording {
        "recording"
    } else {
        "notRecording"
    };
    let people = world.meetings.get(&call.meeting).into_iter();
    let mut shown: Vec<Value> = people
        .flat_map(|meeting| &meeting.attendees)
        .filter(|attendee| attendee.presence != Presence::Left)
        .map(|attendee| {
            json!({
                "@odata.type": "#microsoft.graph.participant",
                "id": attendee.id,
                "isInLobby": attendee.presence == Presence::InLobby,
                "isMuted": false,
            })
        })
        .collect();
    shown.push(json!({
        "@odata.type": "#microsoft.graph.participant",
        "id": call.participant_id,
        "isInLobby": false,
        "isMuted": true,
        "info": {"identity": {"application": {"id": shared.directory.client_id}}},
        "recordingInfo": {"recordingStatus": status},
    }));
    Ok(request::json(StatusCode::OK, &json!({ "value": shown })))
}

async fn operation(
    State(shared): State<Arc<Shared>>,
    Path((id, operation)): Path<(String, String)>,
) -> Answer {
    let world = shared.read();
    let call = world.calls.get(&id).ok_or_else(Failure::not_found)?;
    let operation = call
        .operations
        .get(&operation)
        .ok_or_else(Failure::not_found)?;
    let shown = show_operation(operation, shared.clock.now_ms());
    Ok(request::json(StatusCode::OK, &shown))
}

fn show_operation(operation: &Operation, now_ms: i64) -> Value {
    let status = match (&operation.failure, now_ms >= operation.done_ms) {
        (_, false) => "running",
        (None, true) => "completed",
        (Some(_), true) => "failed",
    };
    let result = operation.failure.as_ref().filter(|_| status == "failed");
    json!({
        "@odata.type": format!("#microsoft.graph.{}", operation.kind),
        "id": operation.id,
        "status": status,
        "clientContext": operation.client_context,
        "resultInfo": result.map(|(code, subcode, message)| {
            json!({"code": code, "subcode": subcode, "message": message})
        }),
    })
}

async fn start(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let context = client_context(&body)?;
    let now_ms = shared.clock.now_ms();
    operate(
        &shared,
        &id,
        "startRecordingOperation",
        context,
        |world, call, number| {
            if world.running_recording(&call.meeting).is_some() {
                return Some((
                    400,
                    8534,
                    "The meeting is already being recorded.".to_owned(),
                ));
            }
            let voices = world.meetings.get(&call.meeting).map_or(0, |m| m.present());
            world.recordings.push(Recording {
                id: derived_uuid(number, &format!("recording/{}", call.id)),
                meeting: call.meeting.clone(),
                call: call.id.clone(),
                started_ms: now_ms,
                ended_ms: None,
                voices,
            });
            None
        },
    )
}

async fn stop(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let context = client_context(&body)?;
    let now_ms = shared.clock.now_ms();
    operate(
        &shared,
        &id,
        "stopRecordingOperation",
        context,
        |world, call, _| match world.running_recording(&call.meeting) {
            None => Some((400, 8535, "The meeting is not being recorded.".to_owned())),
            Some(recording) => {
                recording.ended_ms = Some(now_ms);
                None
            }
        },
    )
}

async fn admit_all(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let context = client_context(&body)?;
    operate(
        &shared,
        &id,
        "admitAllFromLobbyOperation",
        context,
        |world, call, _| {
            let attendees = world.meetings.get_mut(&call.meeting).into_iter();
            for attendee in attendees.flat_map(|meeting| &mut meeting.attendees) {
                if attendee.presence == Presence::InLobby {
                    attendee.presence = Presence::InMeeting;
                }
            }
            None
        },
    )
}

/// Acts, and answers 202 with the operation that tells how it went.
fn operate(
    shared: &Shared,
    id: &str,
    kind: &str,
    client_context: Option<String>,
    act: impl FnOnce(&mut World, &Call, u64) -> Option<(u16, u32, String)>,
) -> Answer {
    let now_ms = shared.clock.now_ms();
    shared.change(|world| {
        let call = world.calls.get(id).ok_or_else(Failure::not_found)?.clone();
        if now_ms < call.established_ms {
            return Err(Failure::bad("The call is not established yet."));
        }
        let number = world.next();
        let operation = Operation {
            id: derived_uuid(shared.directory.seed, &format!("operation/{number}")),
            kind: kind.to_owned(),
            client_context,
            done_ms: now_ms + SETTLE_MS,
            failure: act(world, &call, number),
        };
        let shown = show_operation(&operation, now_ms);
        let place = format!(
            "{}/beta/communications/calls/{id}/operations/{}",
            shared.base_url(),
            operation.id
        );
        if let Some(call) = world.calls.get_mut(id) {
            call.operations.insert(operation.id.clone(), operation);
        }
        Ok(located(StatusCode::ACCEPTED, &place, &shown))
    })
}

fn located(status: StatusCode, place: &str, body: &Value) -> Response {
    let mut response = request::json(status, body);
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

fn client_context(body: &[u8]) -> Result<Option<String>, Failure> {
    let body = request::object(body)?;
    let context = body.get("clientContext").and_then(Value::as_str);
    if context.is_some_and(|context| context.chars().count() > CLIENT_CONTEXT_MAX) {
        return Err(Failure::bad(
            "clientContext may have at most 256 characters.",
        ));
    }
    Ok(context.map(str::to_owned))
}
