//! Online meetings (`onlineMeeting` resource type, Graph v1.0).

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query as Parse, State},
    response::IntoResponse as _,
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer,
    error::Failure,
    request::{self, Query},
};
use crate::{
    clock::{parse_rfc3339, rfc3339},
    state::Shared,
    world::{Meeting, Members, NewMeeting, User, World},
};

/// An hour, in milliseconds: how long a meeting without times lasts.
const HOUR_MS: i64 = 3_600_000;

/// `lobbyBypassScope` members of the metadata.
const SCOPES: [&str; 7] = [
    "organizer",
    "organization",
    "organizationAndFederated",
    "everyone",
    "invited",
    "organizationExcludingGuests",
    "unknownFutureValue",
];

/// Members that the simulator computes or keeps apart.
const OWN: [&str; 12] = [
    "id",
    "startDateTime",
    "endDateTime",
    "creationDateTime",
    "externalId",
    "joinWebUrl",
    "joinUrl",
    "chatInfo",
    "joinMeetingIdSettings",
    "lobbyBypassSettings",
    "participants",
    "audioConferencing",
];

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/users/{user}/onlineMeetings", get(find).post(create))
        .route(
            "/users/{user}/onlineMeetings/createOrGet",
            post(create_or_get),
        )
        .route(
            "/users/{user}/onlineMeetings/{meeting}",
            get(read).patch(update).delete(remove),
        )
}

/// The user whom the application may act for, or the real 403.
pub fn covered<'a>(shared: &'a Shared, key: &str) -> Result<&'a User, Failure> {
    let user = request::user(shared, key)?;
    if user.covered {
        return Ok(user);
    }
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        "Forbidden",
        "No application access policy found for this app",
    ))
}

/// A meeting of this organizer.
pub fn own<'a>(world: &'a World, user: &User, id: &str) -> Result<&'a Meeting, Failure> {
    let meeting = world.meetings.get(id).ok_or_else(Failure::not_found)?;
    if meeting.organizer != user.id {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            "Organizer Id mismatch User Id.",
        ));
    }
    Ok(meeting)
}

async fn create(State(shared): State<Arc<Shared>>, Path(key): Path<String>, body: Bytes) -> Answer {
    let user = covered(&shared, &key)?;
    let body = request::object(&body)?;
    let (status, shown) = make(&shared, user, body, None)?;
    Ok(request::json(status, &shown))
}

async fn create_or_get(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    body: Bytes,
) -> Answer {
    let user = covered(&shared, &key)?;
    let body = request::object(&body)?;
    let external_id = body
        .get("externalId")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Failure::bad("externalId is required."))?
        .to_owned();
    let (status, shown) = make(&shared, user, body, Some(external_id))?;
    Ok(request::json(status, &shown))
}

fn make(
    shared: &Shared,
    user: &User,
    body: Members,
    external_id: Option<String>,
) -> Result<(StatusCode, Value), Failure> {
    let now_ms = shared.clock.now_ms();
    let (start_ms, end_ms) = match (time(&body, "startDateTime")?, time(&body, "endDateTime")?) {
        (None, Some(_)) => return Err(Failure::bad("endDateTime needs startDateTime.")),
        (None, None) => (now_ms, now_ms + HOUR_MS),
        (Some(start), None) => (start, start + HOUR_MS),
        (Some(start), Some(end)) if end < start => {
            return Err(Failure::bad("endDateTime lies before startDateTime."));
        }
        (Some(start), Some(end)) => (start, end),
    };
    let lobby = lobby(&body)?;
    shared.change(|world| {
        let existing = external_id.as_ref().and_then(|id| {
            world
                .meetings
                .values()
                .find(|m| m.organizer == user.id && m.external_id.as_ref() == Some(id))
        });
        if let Some(meeting) = existing {
            return Ok((StatusCode::OK, show(shared, meeting)));
        }
        let new = NewMeeting {
            event: None,
            external_id,
            start_ms,
            end_ms,
            members: kept(body),
        };
        let meeting = world.make_meeting(&shared.directory, &user.id, new, now_ms);
        apply(meeting, lobby);
        Ok((StatusCode::CREATED, show(shared, meeting)))
    })
}

async fn find(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    Parse(query): Parse<Query>,
) -> Answer {
    let user = covered(&shared, &key)?;
    let filter = query
        .get("$filter")
        .ok_or_else(|| Failure::bad("Filter expression expected."))?;
    let by_url = request::equals(filter, "JoinWebUrl");
    let by_id = request::equals(filter, "joinMeetingIdSettings/joinMeetingId");
    if by_url.is_none() && by_id.is_none() {
        return Err(Failure::bad(
            "Only JoinWebUrl and joinMeetingIdSettings/joinMeetingId can be filtered.",
        ));
    }
    let world = shared.read();
    let found: Vec<Value> = world
        .meetings
        .values()
        .filter(|meeting| meeting.organizer == user.id)
        .filter(|meeting| {
            by_url
                .as_ref()
                .is_some_and(|url| meeting.join_web_url == *url)
                || by_id
                    .as_ref()
                    .is_some_and(|id| meeting.join_meeting_id == *id)
        })
        .map(|meeting| request::select(&query, show(&shared, meeting)))
        .collect();
    Ok(request::json(StatusCode::OK, &json!({ "value": found })))
}

async fn read(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
    Parse(query): Parse<Query>,
) -> Answer {
    let user = covered(&shared, &key)?;
    let world = shared.read();
    let shown = show(&shared, own(&world, user, &id)?);
    Ok(request::json(
        StatusCode::OK,
        &request::select(&query, shown),
    ))
}

async fn update(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let user = covered(&shared, &key)?;
    let body = request::object(&body)?;
    let times = match (time(&body, "startDateTime")?, time(&body, "endDateTime")?) {
        (None, None) => None,
        (Some(start), Some(end)) if start <= end => Some((start, end)),
        (Some(_), Some(_)) => return Err(Failure::bad("endDateTime lies before startDateTime.")),
        _ => {
            return Err(Failure::bad(
                "startDateTime and endDateTime change together.",
            ));
        }
    };
    if body.contains_key("joinMeetingIdSettings") {
        return Err(Failure::bad("joinMeetingIdSettings cannot be changed."));
    }
    let lobby = lobby(&body)?;
    shared.change(|world| {
        own(world, user, &id)?;
        let meeting = world.meetings.get_mut(&id).ok_or_else(Failure::not_found)?;
        if let Some((start_ms, end_ms)) = times {
            (meeting.start_ms, meeting.end_ms) = (start_ms, end_ms);
        }
        apply(meeting, lobby);
        meeting.members.extend(kept(body));
        Ok(request::json(StatusCode::OK, &show(&shared, meeting)))
    })
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
) -> Answer {
    let user = covered(&shared, &key)?;
    let now_ms = shared.clock.now_ms();
    shared.change(|world| {
        own(world, user, &id)?;
        world.remove_meeting(&id, now_ms);
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

fn show(shared: &Shared, meeting: &Meeting) -> Value {
    let mut shown = meeting.members.clone();
    let organizer = shared.directory.user(&meeting.organizer);
    let mut set = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    set("id", meeting.id.clone().into());
    set("creationDateTime", rfc3339(meeting.created_ms).into());
    set("startDateTime", rfc3339(meeting.start_ms).into());
    set("endDateTime", rfc3339(meeting.end_ms).into());
    set("joinWebUrl", meeting.join_web_url.clone().into());
    set("externalId", meeting.external_id.clone().into());
    set("audioConferencing", Value::Null);
    set(
        "chatInfo",
        json!({"threadId": meeting.thread_id, "messageId": "0", "replyChainMessageId": null}),
    );
    set(
        "joinMeetingIdSettings",
        json!({
            "isPasscodeRequired": meeting.passcode.is_some(),
            "joinMeetingId": meeting.join_meeting_id,
            "passcode": meeting.passcode,
        }),
    );
    set(
        "lobbyBypassSettings",
        json!({"scope": meeting.lobby_scope, "isDialInBypassEnabled": meeting.dial_in_bypass}),
    );
    set(
        "participants",
        json!({
            "organizer": {
                "upn": organizer.map(|user| user.principal_name.clone()),
                "role": "presenter",
                "identity": {"user": {"id": meeting.organizer, "displayName": organizer.map(|user| user.display_name.clone())}},
            },
            "attendees": [],
        }),
    );
    for (name, value) in [
        ("allowedPresenters", json!("everyone")),
        ("allowMeetingChat", json!("enabled")),
        ("recordAutomatically", json!(false)),
        ("isEntryExitAnnounced", json!(true)),
    ] {
        shown.entry(name).or_insert(value);
    }
    shown.into()
}

#[derive(Default)]
struct Lobby {
    scope: Option<String>,
    dial_in_bypass: Option<bool>,
}

fn lobby(body: &Members) -> Result<Lobby, Failure> {
    let Some(settings) = body.get("lobbyBypassSettings") else {
        return Ok(Lobby::default());
    };
    let scope = settings.get("scope").and_then(Value::as_str);
    if scope.is_some_and(|scope| !SCOPES.contains(&scope)) {
        return Err(Failure::bad(
            "lobbyBypassSettings.scope is not a lobbyBypassScope.",
        ));
    }
    Ok(Lobby {
        scope: scope.map(str::to_owned),
        dial_in_bypass: settings
            .get("isDialInBypassEnabled")
            .and_then(Value::as_bool),
    })
}

/// Nested settings merge.
fn apply(meeting: &mut Meeting, lobby: Lobby) {
    if let Some(scope) = lobby.scope {
        meeting.lobby_scope = scope;
    }
    if let Some(bypass) = lobby.dial_in_bypass {
        meeting.dial_in_bypass = bypass;
    }
}

fn time(body: &Members, name: &str) -> Result<Option<i64>, Failure> {
    let Some(value) = body.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let ms = value.as_str().and_then(parse_rfc3339);
    ms.map(Some)
        .ok_or_else(|| Failure::bad(format!("{name} is not a DateTimeOffset.")))
}

fn kept(mut body: Members) -> Members {
    let settings = body.get("joinMeetingIdSettings").cloned();
    body.retain(|name, _| !OWN.contains(&name.as_str()));
    // Read once, when the meeting is made; answered from the meeting itself.
    if let Some(settings) = settings {
        body.insert("joinMeetingIdSettings".into(), settings);
    }
    body
}
