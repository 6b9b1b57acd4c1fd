//! The simulator's own API under `/_simulator`: faults, clock, people, and what happened.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::JsonRejection},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    faults::{DELAY_MS_MAX, RULES_MAX, Rule},
    state::Shared,
    world::{Attendee, Meeting, Presence, World, derived_uuid},
};

/// People in one meeting.
const ATTENDEES_MAX: usize = 1_000;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/env", get(env))
        .route("/clock", get(clock).put(set_clock))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/repeats", post(repeats))
        .route("/requests", get(requests))
        .route("/meetings", get(meetings))
        .route("/meetings/join", post(join))
        .route("/attendees/{attendee}/admit", post(admit))
        .route("/attendees/{attendee}/leave", post(leave))
        .route("/meetings/end", post(end))
}

fn refuse(status: StatusCode, message: impl Into<String>) -> Response {
    (status, Json(json!({"error": message.into()}))).into_response()
}

fn parsed<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Box<Response>> {
    body.map(|Json(body)| body)
        .map_err(|rejection| Box::new(refuse(StatusCode::BAD_REQUEST, rejection.body_text())))
}

async fn env(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.env()).into_response()
}

async fn clock(State(shared): State<Arc<Shared>>) -> Response {
    Json(json!({"offsetMs": shared.clock.offset_ms(), "nowMs": shared.clock.now_ms()}))
        .into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewOffset {
    offset_ms: i64,
}

async fn set_clock(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<NewOffset>, JsonRejection>,
) -> Response {
    match parsed(body) {
        Err(refusal) => *refusal,
        Ok(new) => {
            shared.clock.set(new.offset_ms);
            clock(State(shared)).await
        }
    }
}

async fn faults(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.faults.list()).into_response()
}

async fn add_fault(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Rule>, JsonRejection>,
) -> Response {
    use crate::faults::Action;
    let rule = match parsed(body) {
        Err(refusal) => return *refusal,
        Ok(rule) => rule,
    };
    let problem = match &rule.action {
        Action::DelayBefore { ms } | Action::DelayAfter { ms } if *ms > DELAY_MS_MAX => {
            Some(format!("ms is at most {DELAY_MS_MAX}"))
        }
        Action::ErrorBefore { status } | Action::ErrorAfter { status }
            if !(500..=599).contains(status) =>
        {
            Some("status is 500 to 599".to_owned())
        }
        Action::Throttle { retry_after } if !(0.0..=3_600.0).contains(retry_after) => {
            Some("retryAfter is 0 to 3600 seconds".to_owned())
        }
        _ if rule.times == Some(0) => {
            Some("times is at least 1; leave it out for always".to_owned())
        }
        _ => None,
    };
    if let Some(problem) = problem {
        return refuse(StatusCode::BAD_REQUEST, problem);
    }
    if !shared.faults.add(rule) {
        return refuse(
            StatusCode::TOO_MANY_REQUESTS,
            format!("there are {RULES_MAX} rules already; DELETE them first"),
        );
    }
    StatusCode::CREATED.into_response()
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> Response {
    shared.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeats {
    conflict: bool,
}

/// How a repeated `transactionId` is answered; Microsoft's pages do not say, so both can be played.
async fn repeats(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Repeats>, JsonRejection>,
) -> Response {
    match parsed(body) {
        Err(refusal) => *refusal,
        Ok(repeats) => {
            shared.change(|world| world.repeat_conflicts = repeats.conflict);
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

async fn requests(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let since = query.get("since").and_then(|text| text.parse().ok());
    Json(shared.log.since(since.unwrap_or(0))).into_response()
}

/// What lives, for tests that count. No subjects, no links.
async fn meetings(State(shared): State<Arc<Shared>>) -> Response {
    let world = shared.read();
    let events: Vec<Value> = world
        .events
        .values()
        .map(|event| json!({"id": event.id, "organizer": event.organizer, "transactionId": event.transaction_id, "meeting": event.meeting}))
        .collect();
    let meetings: Vec<Value> = world.meetings.values().map(|m| show(&world, m)).collect();
    Json(json!({"events": events, "meetings": meetings, "createdEvents": world.created_events}))
        .into_response()
}

fn show(world: &World, meeting: &Meeting) -> Value {
    let recordings = world.recordings.iter().filter(|r| r.meeting == meeting.id);
    let (running, ended): (Vec<_>, Vec<_>) = recordings.partition(|r| r.ended_ms.is_none());
    json!({
        "id": meeting.id,
        "organizer": meeting.organizer,
        "externalId": meeting.external_id,
        "lobbyBypassScope": meeting.lobby_scope,
        "attendees": meeting.attendees,
        "recording": !running.is_empty(),
        "recordings": ended.len(),
        "calls": world.calls.values().filter(|call| call.meeting == meeting.id).count(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Join {
    join_web_url: String,
    /// `organizer`, `user` or `guest`.
    kind: String,
}

/// A person opens the join link: in at once, or into the provider's lobby by the meeting's bypass scope.
async fn join(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Join>, JsonRejection>,
) -> Response {
    let join = match parsed(body) {
        Err(refusal) => return *refusal,
        Ok(join) => join,
    };
    if !["organizer", "user", "guest"].contains(&join.kind.as_str()) {
        return refuse(StatusCode::BAD_REQUEST, "kind is organizer, user or guest");
    }
    let now_ms = shared.clock.now_ms();
    let seed = shared.directory.seed;
    shared.change(|world| {
        let number = world.next();
        let found = world
            .meetings
            .values_mut()
            .find(|meeting| meeting.join_web_url == join.join_web_url);
        let Some(meeting) = found else {
            return refuse(StatusCode::NOT_FOUND, "no meeting has this link");
        };
        if meeting.attendees.len() >= ATTENDEES_MAX {
            return refuse(StatusCode::CONFLICT, "the meeting is full");
        }
        let attendee = Attendee {
            id: derived_uuid(seed, &format!("attendee/{number}")),
            presence: match meeting.bypasses(&join.kind) {
                true => Presence::InMeeting,
                false => Presence::InLobby,
            },
            kind: join.kind,
            arrived_ms: now_ms,
            left_ms: None,
        };
        let shown = Json(&attendee).into_response();
        meeting.attendees.push(attendee);
        (StatusCode::CREATED, shown).into_response()
    })
}

async fn admit(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    person(&shared, &id, |attendee, _| {
        if attendee.presence == Presence::InLobby {
            attendee.presence = Presence::InMeeting;
        }
    })
}

async fn leave(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    person(&shared, &id, |attendee, now_ms| {
        if attendee.presence != Presence::Left {
            attendee.presence = Presence::Left;
            attendee.left_ms = Some(now_ms);
        }
    })
}

fn person(shared: &Shared, id: &str, act: impl FnOnce(&mut Attendee, i64)) -> Response {
    let now_ms = shared.clock.now_ms();
    shared.change(|world| {
        let mut people = world.meetings.values_mut().flat_map(|m| &mut m.attendees);
        match people.find(|attendee| attendee.id == id) {
            None => refuse(StatusCode::NOT_FOUND, "nobody has this id"),
            Some(attendee) => {
                act(attendee, now_ms);
                Json(&*attendee).into_response()
            }
        }
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct End {
    join_web_url: String,
}

/// The organizer ends the meeting for all.
async fn end(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<End>, JsonRejection>,
) -> Response {
    let end = match parsed(body) {
        Err(refusal) => return *refusal,
        Ok(end) => end,
    };
    let now_ms = shared.clock.now_ms();
    shared.change(|world| {
        let found = world
            .meetings
            .values()
            .find(|meeting| meeting.join_web_url == end.join_web_url)
            .map(|meeting| meeting.id.clone());
        match found {
            None => refuse(StatusCode::NOT_FOUND, "no meeting has this link"),
            Some(id) => {
                world.end_meeting(&id, now_ms);
                StatusCode::NO_CONTENT.into_response()
            }
        }
    })
}
