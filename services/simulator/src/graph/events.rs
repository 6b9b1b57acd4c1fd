//! Calendar events (`event` resource type, Graph v1.0).

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query as Parse, State},
    response::IntoResponse as _,
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Answer,
    error::Failure,
    request::{self, Query},
};
use crate::{
    clock::{date_time, parse_date_time, rfc3339},
    state::Shared,
    world::{Event, Members, NewMeeting, World, derived_hex},
};

pub fn routes() -> Router<Arc<Shared>> {
    let one = get(read).patch(update).delete(remove);
    Router::new()
        .route("/users/{user}/events", get(list).post(create))
        .route("/users/{user}/events/{event}", one.clone())
        .route("/users/{user}/events/{event}/cancel", post(cancel))
        .route("/users/{user}/calendar/events", get(list).post(create))
        .route("/users/{user}/calendar/events/{event}", one)
}

/// Members that the simulator computes; the rest is kept as sent.
const OWN: [&str; 14] = [
    "id",
    "start",
    "end",
    "transactionId",
    "singleValueExtendedProperties",
    "onlineMeeting",
    "onlineMeetingUrl",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "organizer",
    "@odata.etag",
    "originalStartTimeZone",
    "originalEndTimeZone",
];

async fn create(State(shared): State<Arc<Shared>>, Path(key): Path<String>, body: Bytes) -> Answer {
    let user = request::user(&shared, &key)?.id.clone();
    let body = request::object(&body)?;
    let start = time(&body, "start")?.ok_or_else(|| missing("Start"))?;
    let end = time(&body, "end")?.ok_or_else(|| missing("End"))?;
    ordered(start.0, end.0)?;
    let online = is_online(&body)?;
    let transaction_id = text(&body, "transactionId");
    let extended = extended(&body)?;
    let now_ms = shared.clock.now_ms();
    let directory = &shared.directory;
    shared.change(|world| {
        let repeated = transaction_id.as_ref().and_then(|id| {
            world
                .events
                .values()
                .find(|event| event.organizer == user && event.transaction_id.as_ref() == Some(id))
        });
        if let Some(event) = repeated {
            if world.repeat_conflicts {
                return Err(Failure::new(
                    StatusCode::CONFLICT,
                    "ErrorDuplicateTransactionId",
                    "An event with this transactionId exists.",
                ));
            }
            let shown = show(world, event);
            return Ok(request::json(StatusCode::CREATED, &shown));
        }
        let number = world.next();
        world.created_events += 1;
        let id = format!(
            "AAMk{}=",
            &derived_hex(directory.seed, &format!("event/{number}"))[..48]
        );
        let meeting = online.then(|| {
            let new = NewMeeting {
                event: Some(id.clone()),
                start_ms: start.0,
                end_ms: end.0,
                members: subject(&body),
                ..NewMeeting::default()
            };
            world.make_meeting(directory, &user, new, now_ms).id.clone()
        });
        let event = Event {
            id: id.clone(),
            organizer: user,
            start_ms: start.0,
            end_ms: end.0,
            zones: (start.1, end.1),
            transaction_id,
            extended,
            meeting,
            created_ms: now_ms,
            change: 1,
            members: kept(body),
        };
        let event = world.events.entry(id).or_insert(event).clone();
        let shown = show(world, &event);
        Ok(request::json(StatusCode::CREATED, &shown))
    })
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    Parse(query): Parse<Query>,
) -> Answer {
    let user = request::user(&shared, &key)?;
    let wanted = query
        .get("$filter")
        .map(|filter| property_filter(filter))
        .transpose()?;
    let world = shared.read();
    let mut events: Vec<&Event> = world
        .events
        .values()
        .filter(|event| event.organizer == user.id)
        .filter(|event| wanted.as_ref().is_none_or(|w| event.extended.contains(w)))
        .collect();
    events.sort_by_key(|event| (event.created_ms, &event.id));
    let items = events
        .into_iter()
        .map(|event| request::select(&query, with_properties(&world, event, &query)))
        .collect();
    let path = format!("/v1.0/users/{}/events", user.id);
    let page = request::collection(&shared, &path, &query, items)?;
    Ok(request::json(StatusCode::OK, &page))
}

async fn read(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
    Parse(query): Parse<Query>,
) -> Answer {
    let user = request::user(&shared, &key)?;
    let world = shared.read();
    let event = own(&world, &user.id, &id)?;
    let shown = request::select(&query, with_properties(&world, event, &query));
    Ok(request::json(StatusCode::OK, &shown))
}

async fn update(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let user = request::user(&shared, &key)?.id.clone();
    let body = request::object(&body)?;
    let (start, end) = (time(&body, "start")?, time(&body, "end")?);
    shared.change(|world| {
        let event = own(world, &user, &id)?.clone();
        let start = start.unwrap_or((event.start_ms, event.zones.0.clone()));
        let end = end.unwrap_or((event.end_ms, event.zones.1.clone()));
        ordered(start.0, end.0)?;
        let turned_off = body.get("isOnlineMeeting") == Some(&Value::Bool(false));
        if turned_off && event.meeting.is_some() {
            return Err(Failure::bad("An online meeting cannot be turned off."));
        }
        let mut event = event;
        (event.start_ms, event.zones.0) = start;
        (event.end_ms, event.zones.1) = end;
        event.change += 1;
        if let Some(meeting) = event
            .meeting
            .as_ref()
            .and_then(|id| world.meetings.get_mut(id))
        {
            meeting.start_ms = event.start_ms;
            meeting.end_ms = event.end_ms;
            meeting.members.extend(subject(&body));
        }
        event.members.extend(kept(body));
        let shown = show(world, &event);
        world.events.insert(id, event);
        Ok(request::json(StatusCode::OK, &shown))
    })
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
) -> Answer {
    gone(&shared, &key, &id, StatusCode::NO_CONTENT)
}

async fn cancel(
    State(shared): State<Arc<Shared>>,
    Path((key, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    request::object(&body)?;
    gone(&shared, &key, &id, StatusCode::ACCEPTED)
}

fn gone(shared: &Shared, key: &str, id: &str, status: StatusCode) -> Answer {
    let user = request::user(shared, key)?.id.clone();
    let now_ms = shared.clock.now_ms();
    shared.change(|world| {
        own(world, &user, id)?;
        world.remove_event(id, now_ms);
        Ok(status.into_response())
    })
}

fn own<'a>(world: &'a World, user: &str, id: &str) -> Result<&'a Event, Failure> {
    world
        .events
        .get(id)
        .filter(|event| event.organizer == user)
        .ok_or_else(Failure::item_not_found)
}

fn show(world: &World, event: &Event) -> Value {
    let mut shown = event.members.clone();
    let meeting = event.meeting.as_ref().and_then(|id| world.meetings.get(id));
    let at = |ms| json!({"dateTime": date_time(ms), "timeZone": "UTC"});
    let etag = format!("W/\"{}\"", event.change);
    shown.insert("@odata.etag".into(), etag.clone().into());
    shown.insert("changeKey".into(), etag.into());
    shown.insert("id".into(), event.id.clone().into());
    shown.insert("createdDateTime".into(), rfc3339(event.created_ms).into());
    shown.insert("start".into(), at(event.start_ms));
    shown.insert("end".into(), at(event.end_ms));
    shown.insert("originalStartTimeZone".into(), event.zones.0.clone().into());
    shown.insert("originalEndTimeZone".into(), event.zones.1.clone().into());
    shown.insert("onlineMeetingUrl".into(), Value::Null);
    shown.insert("isOnlineMeeting".into(), meeting.is_some().into());
    shown.insert("isOrganizer".into(), true.into());
    shown.insert(
        "onlineMeeting".into(),
        meeting.map_or(Value::Null, |m| json!({"joinUrl": m.join_web_url})),
    );
    if let Some(id) = &event.transaction_id {
        shown.insert("transactionId".into(), id.clone().into());
    }
    shown.into()
}

/// With the extended properties when `$expand` asks for them.
fn with_properties(world: &World, event: &Event, query: &Query) -> Value {
    let mut shown = show(world, event);
    let asked = query
        .get("$expand")
        .is_some_and(|expand| expand.starts_with("singleValueExtendedProperties"));
    if asked && let Some(object) = shown.as_object_mut() {
        let properties: Vec<Value> = event
            .extended
            .iter()
            .map(|(id, value)| json!({"id": id, "value": value}))
            .collect();
        object.insert("singleValueExtendedProperties".into(), properties.into());
    }
    shown
}

/// `(milliseconds, zone name)` of a `dateTimeTimeZone` member.
fn time(body: &Members, name: &str) -> Result<Option<(i64, String)>, Failure> {
    let Some(value) = body.get(name) else {
        return Ok(None);
    };
    let part = |part: &str| value.get(part).and_then(Value::as_str);
    let zone = part("timeZone").unwrap_or("UTC");
    if !["UTC", "Etc/UTC", "GMT", "Etc/GMT"].contains(&zone) {
        return Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "TimeZoneNotSupportedException",
            format!("The simulator takes times in UTC for now, not in '{zone}'."),
        ));
    }
    let ms = part("dateTime").and_then(parse_date_time).ok_or_else(|| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "ErrorPropertyValidationFailure",
            format!("{name}.dateTime is not a date and time such as 2031-01-01T10:00:00."),
        )
    })?;
    Ok(Some((ms, zone.to_owned())))
}

fn missing(name: &str) -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "ErrorPropertyValidationFailure",
        format!("At least one property failed validation: {name}."),
    )
}

fn ordered(start_ms: i64, end_ms: i64) -> Result<(), Failure> {
    if start_ms <= end_ms {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::BAD_REQUEST,
        "ErrorPropertyValidationFailure",
        "The end of the event lies before its start.",
    ))
}

fn is_online(body: &Members) -> Result<bool, Failure> {
    let online = body.get("isOnlineMeeting") == Some(&Value::Bool(true));
    match body.get("onlineMeetingProvider").and_then(Value::as_str) {
        None | Some("teamsForBusiness") => Ok(online),
        Some(other) if online => Err(Failure::bad(format!(
            "The calendar does not allow the online meeting provider '{other}'."
        ))),
        Some(_) => Ok(false),
    }
}

fn extended(body: &Members) -> Result<Vec<(String, String)>, Failure> {
    let Some(properties) = body.get("singleValueExtendedProperties") else {
        return Ok(Vec::new());
    };
    let pair = |property: &Value| {
        let part = |name: &str| property.get(name)?.as_str().map(str::to_owned);
        Some((part("id")?, part("value")?))
    };
    properties
        .as_array()
        .and_then(|properties| properties.iter().map(pair).collect())
        .ok_or_else(|| Failure::bad("singleValueExtendedProperties wants [{id, value}]."))
}

/// `singleValueExtendedProperties/Any(ep: ep/id eq '…' and ep/value eq '…')`.
fn property_filter(filter: &str) -> Result<(String, String), Failure> {
    let parse = || {
        let inner = filter
            .trim()
            .strip_prefix("singleValueExtendedProperties/")?;
        let inner = inner.strip_prefix("Any(").or(inner.strip_prefix("any("))?;
        let (variable, condition) = inner.strip_suffix(')')?.split_once(':')?;
        let variable = variable.trim();
        let (left, right) = condition.split_once(" and ")?;
        Some((
            request::equals(left, &format!("{variable}/id"))?,
            request::equals(right, &format!("{variable}/value"))?,
        ))
    };
    parse().ok_or_else(|| {
        Failure::bad("The simulator filters events by one single-value extended property only.")
    })
}

fn text(body: &Members, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn subject(body: &Members) -> Members {
    let subject = body.get("subject").cloned();
    subject
        .map(|subject| Map::from_iter([("subject".to_owned(), subject)]))
        .unwrap_or_default()
}

fn kept(mut body: Members) -> Members {
    body.retain(|name, _| !OWN.contains(&name.as_str()));
    body
}
