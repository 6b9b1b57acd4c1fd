//! Online meetings.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Attendee, Directory, Full, Members, Recording, Removed, World, derived_hex};

/// An online meeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meeting {
    /// Opaque id.
    pub id: String,
    /// Object id of the organizer.
    pub organizer: String,
    /// Its event, when it is calendar-backed.
    pub event: Option<String>,
    /// Key of `createOrGet`.
    pub external_id: Option<String>,
    /// Start in milliseconds.
    pub start_ms: i64,
    /// End in milliseconds.
    pub end_ms: i64,
    /// Created, in milliseconds.
    pub created_ms: i64,
    /// How to join.
    pub join_web_url: String,
    /// Chat thread.
    pub thread_id: String,
    /// Digits for joining by id.
    pub join_meeting_id: String,
    /// Passcode, when one is required.
    pub passcode: Option<String>,
    /// Who may skip the lobby.
    pub lobby_scope: String,
    /// Whether callers by phone skip it.
    pub dial_in_bypass: bool,
    /// Other options.
    pub members: Members,
    /// Who came.
    pub attendees: Vec<Attendee>,
    /// What was recorded, in order of the start.
    pub recordings: Vec<Recording>,
    /// Ids of the application's calls into it.
    pub calls: BTreeSet<String>,
}

/// What a new meeting is made of.
#[derive(Clone, Debug, Default)]
pub struct NewMeeting {
    /// Its event, when it is calendar-backed.
    pub event: Option<String>,
    /// Key of `createOrGet`.
    pub external_id: Option<String>,
    /// Start in milliseconds.
    pub start_ms: i64,
    /// End in milliseconds.
    pub end_ms: i64,
    /// Whether joining by id needs a passcode.
    pub passcode_required: bool,
    /// Other options.
    pub members: Members,
}

impl World {
    /// A meeting.
    pub fn meeting(&self, id: &str) -> Option<&Meeting> {
        self.meetings.get(id)
    }

    /// A meeting, to be changed.
    pub fn meeting_mut(&mut self, id: &str) -> Option<&mut Meeting> {
        self.meetings.get_mut(id)
    }

    /// All meetings.
    pub fn meetings(&self) -> impl Iterator<Item = &Meeting> {
        self.meetings.values()
    }

    /// The meeting behind a join link.
    pub fn by_join_url(&self, url: &str) -> Option<&Meeting> {
        self.meeting(self.index.by_join_url.get(url)?)
    }

    /// The meeting of the digits.
    pub fn by_join_id(&self, digits: &str) -> Option<&Meeting> {
        self.meeting(self.index.by_join_id.get(digits)?)
    }

    /// The meeting of a chat thread.
    pub fn by_thread(&self, thread: &str) -> Option<&Meeting> {
        self.meeting(self.index.by_thread.get(thread)?)
    }

    /// The meeting that `createOrGet` made under a key.
    pub fn by_external(&self, organizer: &str, external_id: &str) -> Option<&Meeting> {
        let key = (organizer.to_owned(), external_id.to_owned());
        self.meeting(self.index.by_external.get(&key)?)
    }

    /// Makes an online meeting. Its id has the form of real ones: base64 of `1*{organizer}*0**{thread}`.
    pub fn make_meeting(
        &mut self,
        directory: &Directory,
        organizer: &str,
        new: NewMeeting,
        now_ms: i64,
    ) -> Result<&mut Meeting, Full> {
        self.room()?;
        let number = self.next();
        let hex = derived_hex(directory.seed, &format!("meeting/{number}"));
        let encoded = STANDARD.encode(hex.get(..32).unwrap_or_default());
        let thread_id = format!("19:meeting_{}@thread.v2", encoded.trim_end_matches('='));
        let thread_in_url = thread_id.replace(':', "%3a").replace('@', "%40");
        let context = format!(
            "%7b%22Tid%22%3a%22{}%22%2c%22Oid%22%3a%22{organizer}%22%7d",
            directory.tenant
        );
        let id = STANDARD.encode(format!("1*{organizer}*0**{thread_id}"));
        let meeting = Meeting {
            id: id.clone(),
            organizer: organizer.to_owned(),
            event: new.event,
            external_id: new.external_id,
            start_ms: new.start_ms,
            end_ms: new.end_ms,
            created_ms: now_ms,
            join_web_url: format!(
                "https://teams.microsoft.com/l/meetup-join/{thread_in_url}/0?context={context}"
            ),
            thread_id,
            join_meeting_id: self.free_digits(directory.seed, number),
            passcode: new
                .passcode_required
                .then(|| hex.get(40..46).unwrap_or_default().to_owned()),
            lobby_scope: "organization".to_owned(),
            dial_in_bypass: false,
            members: new.members,
            attendees: Vec::new(),
            recordings: Vec::new(),
            calls: BTreeSet::new(),
        };
        self.index.add_meeting(&meeting);
        Ok(self.meetings.entry(id).or_insert(meeting))
    }

    /// Twelve digits that no other meeting has.
    fn free_digits(&self, seed: u64, number: u64) -> String {
        let digits = |salt: u32| -> String {
            let hex = derived_hex(seed, &format!("digits/{number}/{salt}"));
            let value = u64::from_str_radix(hex.get(..15).unwrap_or_default(), 16).unwrap_or(0);
            format!("{:012}", value % 1_000_000_000_000)
        };
        (0..)
            .map(digits)
            .find(|digits| !self.index.by_join_id.contains_key(digits))
            .unwrap_or_default()
    }

    /// Removes a meeting; its calls end. The event that it stood behind stays, offline.
    pub fn remove_meeting(&mut self, id: &str, now_ms: i64) {
        let Some(meeting) = self.take_meeting(id) else {
            return;
        };
        if let Some(event) = meeting.event.and_then(|id| self.events.get_mut(&id)) {
            event.meeting = None;
            event.change += 1;
            event.modified_ms = now_ms;
        }
        self.remember(Removed {
            kind: "onlineMeeting".to_owned(),
            id: meeting.id,
            organizer: meeting.organizer,
            transaction_id: None,
            external_id: meeting.external_id,
            removed_ms: now_ms,
        });
    }

    /// Out of the world, with its calls.
    pub(super) fn take_meeting(&mut self, id: &str) -> Option<Meeting> {
        let meeting = self.meetings.remove(id)?;
        self.index.remove_meeting(&meeting);
        for call in &meeting.calls {
            self.calls.remove(call);
        }
        Some(meeting)
    }

    /// The organizer ends it for all: everyone is out, calls end, recording stops. It stays on the calendar.
    pub fn end_meeting(&mut self, id: &str, now_ms: i64) {
        let Some(meeting) = self.meetings.get_mut(id) else {
            return;
        };
        for call in std::mem::take(&mut meeting.calls) {
            self.calls.remove(&call);
        }
        for attendee in &mut meeting.attendees {
            attendee.leave(now_ms);
        }
        meeting.stop_recording(now_ms);
    }
}
