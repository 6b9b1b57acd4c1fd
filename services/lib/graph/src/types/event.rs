//! Events on the wire.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A calendar event to be made.
#[derive(Clone)]
pub struct NewEvent {
    /// What it is about.
    pub subject: String,
    /// From.
    pub start: DateTime<Utc>,
    /// To.
    pub end: DateTime<Utc>,
    /// Client's key: Graph's `transactionId` and the value of the look-up property.
    pub key: String,
}

impl NewEvent {
    pub(crate) fn body(&self) -> Value {
        json!({
            "subject": self.subject,
            "start": date_time(self.start),
            "end": date_time(self.end),
            "isOnlineMeeting": true,
            "onlineMeetingProvider": "teamsForBusiness",
            "transactionId": self.key,
            "singleValueExtendedProperties": [
                {"id": crate::events::LOOKUP_PROPERTY, "value": self.key},
            ],
        })
    }
}

/// What is to change of an event; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct EventChange {
    /// What it is about.
    pub subject: Option<String>,
    /// From when to when.
    pub interval: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl EventChange {
    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        if let Some(subject) = &self.subject {
            body.insert("subject".into(), subject.as_str().into());
        }
        if let Some((start, end)) = self.interval {
            body.insert("start".into(), date_time(start));
            body.insert("end".into(), date_time(end));
        }
        body.into()
    }
}

/// `dateTimeTimeZone` in UTC.
fn date_time(time: DateTime<Utc>) -> Value {
    json!({"dateTime": time.format("%Y-%m-%dT%H:%M:%S%.6f0").to_string(), "timeZone": "UTC"})
}

/// A calendar event.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Id.
    pub id: String,
    /// When it was made.
    pub created_date_time: Option<DateTime<Utc>>,
    /// The meeting's summary; absent while Graph still makes it.
    pub online_meeting: Option<EventMeeting>,
}

/// The online half of an event.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMeeting {
    /// Join link: a bearer secret.
    pub join_url: Option<String>,
}

impl Event {
    /// The join link, once there is one.
    pub fn join_url(&self) -> Option<&str> {
        self.online_meeting.as_ref()?.join_url.as_deref()
    }
}
