//! Online meetings on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An online meeting.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnlineMeeting {
    /// Id.
    pub id: String,
    /// Join link: a bearer secret. Never parsed: its form changes.
    pub join_web_url: String,
    /// Joining by digits.
    pub join_meeting_id_settings: Option<JoinMeetingId>,
    /// Dial-in, with a licence for it.
    pub audio_conferencing: Option<AudioConferencing>,
    /// Who may skip the lobby.
    pub lobby_bypass_settings: Option<LobbyBypassSettings>,
    /// Who is in it by invitation.
    pub participants: Option<Participants>,
    /// Its chat.
    pub chat_info: Option<ChatInfo>,
}

/// Joining by digits.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinMeetingId {
    /// The digits.
    pub join_meeting_id: Option<String>,
    /// The passcode: a bearer secret.
    pub passcode: Option<String>,
}

/// Dial-in.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioConferencing {
    /// Conference id.
    pub conference_id: Option<String>,
    /// Number to dial.
    pub toll_number: Option<String>,
}

/// Lobby options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LobbyBypassSettings {
    /// `lobbyBypassScope`; kept as text, because Graph adds members.
    pub scope: String,
}

/// Organizer and attendees.
#[derive(Clone, Deserialize)]
pub struct Participants {
    /// The organizer.
    pub organizer: Option<Participant>,
}

/// A participant by invitation.
#[derive(Clone, Deserialize)]
pub struct Participant {
    /// Who.
    pub identity: Option<Identity>,
}

/// An `identitySet`.
#[derive(Clone, Deserialize)]
pub struct Identity {
    /// The user.
    pub user: Option<IdentityUser>,
}

/// A user of an `identitySet`.
#[derive(Clone, Deserialize)]
pub struct IdentityUser {
    /// Object id.
    pub id: Option<String>,
}

/// A meeting's chat.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatInfo {
    /// Thread id.
    pub thread_id: Option<String>,
}

impl OnlineMeeting {
    /// The organizer's object id.
    pub fn organizer_id(&self) -> Option<&str> {
        let organizer = self.participants.as_ref()?.organizer.as_ref()?;
        organizer.identity.as_ref()?.user.as_ref()?.id.as_deref()
    }

    /// The chat's thread.
    pub fn thread_id(&self) -> Option<&str> {
        self.chat_info.as_ref()?.thread_id.as_deref()
    }
}

/// Options of an online meeting to be changed; `None` leaves one as it is.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingOptions {
    /// Lobby.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lobby_bypass_settings: Option<LobbyBypassSettings>,
}

/// An online meeting without an event.
#[derive(Clone)]
pub struct NewMeeting {
    /// The client's key: the same key is the same meeting.
    pub external_id: String,
    /// What it is about.
    pub subject: String,
    /// From.
    pub start: DateTime<Utc>,
    /// To.
    pub end: DateTime<Utc>,
}

impl NewMeeting {
    pub(crate) fn body(&self) -> Value {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        json!({
            "externalId": self.external_id,
            "subject": self.subject,
            "startDateTime": time(self.start),
            "endDateTime": time(self.end),
        })
    }
}
