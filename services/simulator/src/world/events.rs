//! Calendar events.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    Directory, Exception, Full, Members, NewMeeting, Recurrence, Removed, World, derived_hex,
    derived_uuid,
};

/// A calendar event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Opaque id.
    pub id: String,
    /// Its place in the order of making.
    pub number: u64,
    /// The id that calendars exchange.
    pub ical_uid: String,
    /// Object id of the mailbox's user.
    pub organizer: String,
    /// Start in milliseconds.
    pub start_ms: i64,
    /// End in milliseconds.
    pub end_ms: i64,
    /// Zone names as they were sent, start and end.
    pub zones: (String, String),
    /// Client's key of the creation; fixed afterwards.
    pub transaction_id: Option<String>,
    /// `(id, value)` of single-value extended properties.
    pub extended: Vec<(String, String)>,
    /// The online meeting behind it.
    pub meeting: Option<String>,
    /// Created, in milliseconds.
    pub created_ms: i64,
    /// Last changed, in milliseconds.
    pub modified_ms: i64,
    /// Rises with every change: the ETag.
    pub change: u64,
    /// When it happens again; an event that does is the master of its series.
    #[serde(default)]
    pub recurrence: Option<Recurrence>,
    /// Times of the series that are different, by their day.
    #[serde(default)]
    pub exceptions: BTreeMap<NaiveDate, Exception>,
    /// Everything else that the client sent.
    pub members: Members,
}

/// What a new event is made of.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Object id of the mailbox's user.
    pub organizer: String,
    /// Start in milliseconds.
    pub start_ms: i64,
    /// End in milliseconds.
    pub end_ms: i64,
    /// Zone names as they were sent, start and end.
    pub zones: (String, String),
    /// Client's key of the creation.
    pub transaction_id: Option<String>,
    /// `(id, value)` of single-value extended properties.
    pub extended: Vec<(String, String)>,
    /// Whether there is an online meeting behind it.
    pub online: bool,
    /// When it happens again.
    pub recurrence: Option<Recurrence>,
    /// Everything else.
    pub members: Members,
}

impl World {
    /// An organizer's event.
    pub fn event(&self, organizer: &str, id: &str) -> Option<&Event> {
        self.events.get(id).filter(|e| e.organizer == organizer)
    }

    /// All events.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.values()
    }

    /// An organizer's events, the oldest first.
    pub fn calendar(&self, organizer: &str) -> impl Iterator<Item = &Event> {
        let ids = self.index.calendar(organizer);
        ids.filter_map(|id| self.events.get(id))
    }

    /// An organizer's events that carry an extended property, the oldest first.
    pub fn with_property(
        &self,
        organizer: &str,
        property: (String, String),
    ) -> impl Iterator<Item = &Event> {
        let ids = self.index.with_property(organizer, property);
        ids.filter_map(|id| self.events.get(id))
    }

    /// The event that a `transactionId` has made.
    pub fn made_by(&self, organizer: &str, transaction_id: &str) -> Option<&Event> {
        let key = (organizer.to_owned(), transaction_id.to_owned());
        self.events.get(self.index.by_transaction.get(&key)?)
    }

    /// Makes an event, and the online meeting behind it when one is wanted.
    pub fn make_event(
        &mut self,
        directory: &Directory,
        new: NewEvent,
        now_ms: i64,
    ) -> Result<&Event, Full> {
        self.room()?;
        let number = self.next();
        self.created_events += 1;
        let hex = derived_hex(directory.seed, &format!("event/{number}"));
        let mut event = Event {
            id: format!("AAMk{hex}="),
            number,
            ical_uid: derived_uuid(directory.seed, &format!("ical/{number}")),
            organizer: new.organizer,
            start_ms: new.start_ms,
            end_ms: new.end_ms,
            zones: new.zones,
            transaction_id: new.transaction_id,
            extended: new.extended,
            meeting: None,
            created_ms: now_ms,
            modified_ms: now_ms,
            change: 1,
            recurrence: new.recurrence,
            exceptions: BTreeMap::new(),
            members: new.members,
        };
        if new.online {
            event.meeting = Some(self.meeting_behind(directory, &event, now_ms)?);
        }
        self.index.add_event(&event);
        Ok(self.events.entry(event.id.clone()).or_insert(event))
    }

    /// Puts a changed event in place of the old one; the meeting behind it follows. Answers it as it is then.
    pub fn change_event(
        &mut self,
        directory: &Directory,
        mut event: Event,
        online: bool,
        now_ms: i64,
    ) -> Result<&Event, Full> {
        event.change += 1;
        event.modified_ms = now_ms;
        let behind = event.meeting.clone();
        match behind.and_then(|id| self.meetings.get_mut(&id)) {
            Some(meeting) => {
                (meeting.start_ms, meeting.end_ms) = (event.start_ms, event.end_ms);
                if let Some(subject) = event.members.get("subject") {
                    meeting.members.insert("subject".into(), subject.clone());
                }
            }
            None if online => {
                self.room()?;
                event.meeting = Some(self.meeting_behind(directory, &event, now_ms)?);
            }
            None => {}
        }
        if let Some(old) = self.events.remove(&event.id) {
            self.index.remove_event(&old);
        }
        self.index.add_event(&event);
        Ok(self.events.entry(event.id.clone()).or_insert(event))
    }

    fn meeting_behind(
        &mut self,
        directory: &Directory,
        event: &Event,
        now_ms: i64,
    ) -> Result<String, Full> {
        let mut members = Members::new();
        if let Some(subject) = event.members.get("subject") {
            members.insert("subject".into(), subject.clone());
        }
        let new = NewMeeting {
            event: Some(event.id.clone()),
            start_ms: event.start_ms,
            end_ms: event.end_ms,
            passcode_required: true,
            members,
            ..NewMeeting::default()
        };
        let meeting = self.make_meeting(directory, &event.organizer, new, now_ms)?;
        Ok(meeting.id.clone())
    }

    /// Removes an event and the meeting behind it; everyone in that is put out.
    pub fn remove_event(&mut self, id: &str, now_ms: i64) {
        let Some(event) = self.events.remove(id) else {
            return;
        };
        self.index.remove_event(&event);
        if let Some(meeting) = &event.meeting {
            self.take_meeting(meeting);
        }
        self.remember(Removed {
            kind: "event".to_owned(),
            id: event.id,
            organizer: event.organizer,
            transaction_id: event.transaction_id,
            external_id: None,
            removed_ms: now_ms,
        });
    }
}
