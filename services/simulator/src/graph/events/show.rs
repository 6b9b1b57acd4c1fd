//! Events as clients see them.

use serde_json::{Value, json};

use super::{filter, recurrence};
use crate::{
    clock::rfc3339,
    graph::{ask::Ask, error::Failure, time::Zone},
    world::{Directory, Event, Occurrence, World, parse_id},
};

/// How this client wants to see events.
#[derive(Debug)]
pub struct Show {
    zone: Zone,
    /// Extended properties are shown when asked for: all of them, or the one of an id.
    expand: Option<Option<String>>,
}

/// The tag that rises with every change.
pub fn etag(event: &Event) -> String {
    format!("W/\"{}\"", event.change)
}

impl Show {
    /// By `Prefer` and `$expand`.
    pub fn new(ask: &Ask) -> Result<Self, Failure> {
        let expand = ask.query.get("$expand");
        Ok(Self {
            zone: ask.zone.clone().unwrap_or_else(Zone::utc),
            expand: expand.map(|text| filter::expanded(text)).transpose()?,
        })
    }

    /// One time of a series, or an event that happens once.
    pub fn occurrence(&self, directory: &Directory, world: &World, one: &Occurrence) -> Value {
        let mut shown = self.event(directory, world, &one.event);
        if let Some((series, day)) = parse_id(&one.event.id) {
            let kind = if one.exception {
                "exception"
            } else {
                "occurrence"
            };
            shown["type"] = kind.into();
            shown["occurrenceId"] = format!("OID.{series}.{day}").into();
            shown["seriesMasterId"] = series.into();
        }
        shown
    }

    /// The whole event.
    pub fn event(&self, directory: &Directory, world: &World, event: &Event) -> Value {
        let meeting = event.meeting.as_ref().and_then(|id| world.meeting(id));
        let organizer = directory.user(&event.organizer);
        let mut shown = event.members.clone();
        for (name, value) in [
            ("subject", Value::Null),
            ("isAllDay", json!(false)),
            ("isDraft", json!(false)),
            ("importance", json!("normal")),
            ("sensitivity", json!("normal")),
            ("showAs", json!("busy")),
            ("attendees", json!([])),
            ("categories", json!([])),
            ("allowNewTimeProposals", json!(true)),
            ("responseRequested", json!(true)),
        ] {
            shown.entry(name).or_insert(value);
        }
        let mut set = |name: &str, value: Value| {
            shown.insert(name.to_owned(), value);
        };
        set("@odata.etag", etag(event).into());
        set("id", event.id.clone().into());
        set("changeKey", event.change.to_string().into());
        set("iCalUId", event.ical_uid.clone().into());
        set("createdDateTime", rfc3339(event.created_ms).into());
        set("lastModifiedDateTime", rfc3339(event.modified_ms).into());
        set("start", self.zone.show(event.start_ms));
        set("end", self.zone.show(event.end_ms));
        set("originalStartTimeZone", event.zones.0.clone().into());
        set("originalEndTimeZone", event.zones.1.clone().into());
        let series = event.recurrence.as_ref();
        let kind = if series.is_some() {
            "seriesMaster"
        } else {
            "singleInstance"
        };
        set("type", kind.into());
        set("seriesMasterId", Value::Null);
        let series = series.map(|series| recurrence::show(series, &event.zones.0));
        set("recurrence", series.unwrap_or_default());
        set("isCancelled", false.into());
        set("isOrganizer", true.into());
        set("isOnlineMeeting", meeting.is_some().into());
        set(
            "onlineMeetingProvider",
            match meeting {
                Some(_) => "teamsForBusiness".into(),
                None => "unknown".into(),
            },
        );
        set(
            "onlineMeeting",
            meeting.map_or(Value::Null, |m| json!({"joinUrl": m.join_web_url})),
        );
        // The field of Skype; for Teams it stays empty.
        set("onlineMeetingUrl", Value::Null);
        set(
            "organizer",
            organizer.map_or(Value::Null, |user| {
                json!({"emailAddress": {"name": user.display_name, "address": user.principal_name}})
            }),
        );
        if let Some(id) = &event.transaction_id {
            set("transactionId", id.clone().into());
        }
        if let Some(wanted) = &self.expand {
            let asked = |(id, _): &&(String, String)| wanted.as_ref().is_none_or(|w| w == id);
            let found = event.extended.iter().filter(asked);
            let shown: Vec<Value> = found
                .map(|(id, value)| json!({"id": id, "value": value}))
                .collect();
            set("singleValueExtendedProperties", shown.into());
        }
        shown.into()
    }
}
