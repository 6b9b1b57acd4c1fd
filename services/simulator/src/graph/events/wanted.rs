//! What a client wants of an event: the body of a create or an update, checked.

use serde_json::Value;

use super::recurrence;
use crate::{
    graph::{
        error::Failure,
        members::{self, Kind, Known},
        time::{self, Given, Zone},
    },
    world::{Members, Recurrence},
};

/// A checked body. What is `None` was not sent.
#[derive(Debug)]
pub struct Wanted {
    pub start: Option<Given>,
    pub end: Option<Given>,
    pub transaction_id: Option<String>,
    pub extended: Vec<(String, String)>,
    pub online: Option<bool>,
    /// `null` ends a series.
    pub recurrence: Option<Value>,
    /// What is kept as it was sent.
    pub members: Members,
}

/// Writable members (v1.0 metadata, type `event`).
const KNOWN: &Known = &[
    ("start", Kind::Object),
    ("end", Kind::Object),
    ("transactionId", Kind::Text),
    ("singleValueExtendedProperties", Kind::Objects),
    ("isOnlineMeeting", Kind::Flag),
    (
        "onlineMeetingProvider",
        Kind::OneOf(&[
            "unknown",
            "teamsForBusiness",
            "skypeForBusiness",
            "skypeForConsumer",
        ]),
    ),
    ("subject", Kind::Text),
    ("body", Kind::Object),
    ("attendees", Kind::Objects),
    ("location", Kind::Object),
    ("locations", Kind::Objects),
    ("categories", Kind::Texts),
    ("importance", Kind::OneOf(&["low", "normal", "high"])),
    (
        "sensitivity",
        Kind::OneOf(&["normal", "personal", "private", "confidential"]),
    ),
    (
        "showAs",
        Kind::OneOf(&[
            "unknown",
            "free",
            "tentative",
            "busy",
            "oof",
            "workingElsewhere",
        ]),
    ),
    ("allowNewTimeProposals", Kind::Flag),
    ("hideAttendees", Kind::Flag),
    ("isAllDay", Kind::Flag),
    ("isDraft", Kind::Flag),
    ("isReminderOn", Kind::Flag),
    ("reminderMinutesBeforeStart", Kind::Number),
    ("responseRequested", Kind::Flag),
    ("recurrence", Kind::Object),
    ("organizer", Kind::Object),
];

/// Members that only the service sets; sent back by clients, they are ignored.
const READ_ONLY: [&str; 18] = [
    "id",
    "onlineMeeting",
    "onlineMeetingUrl",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "originalStart",
    "bodyPreview",
    "hasAttachments",
    "iCalUId",
    "isCancelled",
    "isOrganizer",
    "responseStatus",
    "seriesMasterId",
    "type",
    "webLink",
];

/// Members that are kept apart from the rest.
const APART: [&str; 7] = [
    "start",
    "end",
    "transactionId",
    "singleValueExtendedProperties",
    "isOnlineMeeting",
    "organizer",
    "recurrence",
];

impl Wanted {
    /// Reads a body, or says what is wrong with it.
    pub fn read(mut body: Members) -> Result<Self, Failure> {
        if let Some(sentence) = members::wrong(&body, KNOWN) {
            return Err(Failure::bad(sentence));
        }
        if let Some(name) = members::unknown(&body, KNOWN, &READ_ONLY) {
            return Err(Failure::bad(format!(
                "The property '{name}' does not exist on type 'microsoft.graph.event'."
            )));
        }
        let wanted = Self {
            start: time::date_time_time_zone(&body, "start")?,
            end: time::date_time_time_zone(&body, "end")?,
            transaction_id: members::text(&body, "transactionId").map(str::to_owned),
            extended: extended(&body)?,
            online: online(&body)?,
            recurrence: body.get("recurrence").cloned(),
            members: Members::new(),
        };
        body.retain(|name, _| {
            !APART.contains(&name.as_str())
                && !READ_ONLY.contains(&name.as_str())
                && !name.contains('@')
        });
        Ok(Self {
            members: body,
            ..wanted
        })
    }
}

/// The series of an event that starts so; `None` when it happens once.
pub fn series(value: &Value, start: &Given) -> Result<Option<Recurrence>, Failure> {
    if value.is_null() {
        return Ok(None);
    }
    let zone = value.pointer("/range/recurrenceTimeZone");
    let zone = zone.and_then(Value::as_str).filter(|name| !name.is_empty());
    let first = Zone::named(zone.unwrap_or(&start.1))?.day(start.0);
    let first = first.ok_or_else(|| Failure::invalid("start is out of range."))?;
    recurrence::read(value, first).map(Some)
}

/// Only Teams makes online meetings here (`calendar.allowedOnlineMeetingProviders`).
fn online(body: &Members) -> Result<Option<bool>, Failure> {
    let online = body.get("isOnlineMeeting").and_then(Value::as_bool);
    match members::text(body, "onlineMeetingProvider") {
        None | Some("teamsForBusiness" | "unknown") => Ok(online),
        Some(_) if online != Some(true) => Ok(online),
        Some(other) => Err(Failure::invalid(format!(
            "The calendar does not allow the onlineMeetingProvider '{other}'; it allows teamsForBusiness."
        ))),
    }
}

fn extended(body: &Members) -> Result<Vec<(String, String)>, Failure> {
    let properties = body.get("singleValueExtendedProperties");
    let properties = properties.and_then(Value::as_array);
    let pair = |property: &Value| {
        let part = |name: &str| property.get(name)?.as_str().map(str::to_owned);
        Some((part("id")?, part("value")?))
    };
    properties
        .into_iter()
        .flatten()
        .map(pair)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            Failure::bad("singleValueExtendedProperties must be [{\"id\": \"String {guid} Name name\", \"value\": \"...\"}].")
        })
}
