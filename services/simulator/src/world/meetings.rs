//! Events, online meetings and who is in them.

use serde::{Deserialize, Serialize};

use super::{Directory, Members, World, derived_hex};

/// A calendar event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Opaque id.
    pub id: String,
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
    /// The online meeting behind it.
    pub meeting: Option<String>,
    /// Created, in milliseconds.
    pub created_ms: i64,
    /// Rises with every change.
    pub change: u64,
    /// Everything else that the client sent.
    pub members: Members,
}

/// An online meeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
}

/// A person who came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attendee {
    /// Participant id.
    pub id: String,
    /// `organizer`, `user` or `guest`.
    pub kind: String,
    /// Where they are.
    pub presence: Presence,
    /// Arrived, in milliseconds.
    pub arrived_ms: i64,
    /// Left, in milliseconds.
    pub left_ms: Option<i64>,
}

/// Where an attendee is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// In the provider's lobby.
    InLobby,
    /// In the meeting.
    InMeeting,
    /// Gone.
    Left,
}

/// What a new meeting is made of.
#[derive(Clone, Debug, Default)]
pub struct NewMeeting {
    pub event: Option<String>,
    pub external_id: Option<String>,
    pub start_ms: i64,
    pub end_ms: i64,
    pub members: Members,
}

impl World {
    /// Makes an online meeting.
    pub fn make_meeting(
        &mut self,
        directory: &Directory,
        organizer: &str,
        new: NewMeeting,
        now_ms: i64,
    ) -> &mut Meeting {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let number = self.next();
        let hex = derived_hex(directory.seed, &format!("meeting/{number}"));
        let thread_id = format!("19:meeting_{}@thread.v2", STANDARD.encode(&hex[..32]));
        let thread_id = thread_id.replace('=', "");
        let digits: String = hex
            .bytes()
            .take(12)
            .map(|byte| char::from(b'0' + byte % 10))
            .collect();
        let context = format!(
            "%7b%22Tid%22%3a%22{}%22%2c%22Oid%22%3a%22{organizer}%22%7d",
            directory.tenant
        );
        let encoded_thread = thread_id.replace(':', "%3a").replace('@', "%40");
        // As real ids are made: base64 of `1*{organizer}*0**{thread}`.
        let id = STANDARD.encode(format!("1*{organizer}*0**{thread_id}"));
        let passcode_required = new
            .members
            .get("joinMeetingIdSettings")
            .and_then(|settings| settings.get("isPasscodeRequired"))
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(true);
        let meeting = Meeting {
            id: id.clone(),
            organizer: organizer.to_owned(),
            event: new.event,
            external_id: new.external_id,
            start_ms: new.start_ms,
            end_ms: new.end_ms,
            created_ms: now_ms,
            join_web_url: format!(
                "https://teams.microsoft.com/l/meetup-join/{encoded_thread}/0?context={context}"
            ),
            thread_id,
            join_meeting_id: digits,
            passcode: passcode_required.then(|| hex[40..46].to_owned()),
            lobby_scope: "organization".to_owned(),
            dial_in_bypass: false,
            members: new.members,
            attendees: Vec::new(),
        };
        self.meetings.entry(id).or_insert(meeting)
    }

    /// Removes an event and the meeting behind it; everyone in it is put out.
    pub fn remove_event(&mut self, id: &str, now_ms: i64) -> Option<Event> {
        let event = self.events.remove(id)?;
        if let Some(meeting) = &event.meeting {
            self.remove_meeting(meeting, now_ms);
        }
        Some(event)
    }

    /// Removes a meeting; its calls end.
    pub fn remove_meeting(&mut self, id: &str, now_ms: i64) -> Option<Meeting> {
        self.end_calls(id, now_ms);
        self.meetings.remove(id)
    }

    /// Everyone leaves and recording stops; the meeting stays on the calendar.
    pub fn end_meeting(&mut self, id: &str, now_ms: i64) {
        self.end_calls(id, now_ms);
        if let Some(meeting) = self.meetings.get_mut(id) {
            for attendee in &mut meeting.attendees {
                if attendee.presence != Presence::Left {
                    attendee.presence = Presence::Left;
                    attendee.left_ms = Some(now_ms);
                }
            }
        }
    }
}

impl Meeting {
    /// Whether somebody of this kind skips the provider's lobby.
    pub fn bypasses(&self, kind: &str) -> bool {
        match self.lobby_scope.as_str() {
            "everyone" => true,
            "organizer" => kind == "organizer",
            _ => kind != "guest",
        }
    }

    /// How many are in the meeting.
    pub fn present(&self) -> usize {
        self.attendees
            .iter()
            .filter(|attendee| attendee.presence == Presence::InMeeting)
            .count()
    }
}
