//! The shapes of the wire, as far as they are used. Unknown members are tolerated: Graph adds some every month.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

/// Joining a meeting as the application.
#[derive(Clone, Debug)]
pub struct JoinCall {
    /// Where notifications would go.
    pub callback_uri: String,
    /// The organizer's object id.
    pub organizer_id: String,
    /// The meeting's chat thread.
    pub thread_id: String,
}

/// The application's call.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// Id.
    pub id: String,
    /// State.
    pub state: CallState,
}

/// `callState`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallState {
    /// Being connected.
    Establishing,
    /// In the meeting.
    Established,
    /// Ending.
    Terminating,
    /// Over.
    Terminated,
    /// Any other.
    #[serde(untagged)]
    Other(String),
}

/// A long-running operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Id.
    pub id: String,
    /// How it stands. Samples and metadata differ in case.
    pub status: String,
    /// Why it failed.
    pub result_info: Option<ResultInfo>,
}

/// Why an operation ended so.
#[derive(Clone, Debug, Deserialize)]
pub struct ResultInfo {
    /// Code.
    #[serde(default)]
    pub code: i64,
    /// Subcode.
    #[serde(default)]
    pub subcode: i64,
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationStatus {
    /// Not done yet.
    Running,
    /// Done.
    Completed,
    /// Not done, and it will not be.
    Failed,
}

impl Operation {
    /// The status, compared without case.
    pub fn status(&self) -> OperationStatus {
        match self.status.to_ascii_lowercase().as_str() {
            "completed" => OperationStatus::Completed,
            "failed" => OperationStatus::Failed,
            _ => OperationStatus::Running,
        }
    }
}

/// A finished recording at the provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecording {
    /// Id.
    pub id: String,
    /// The call that recorded.
    pub call_id: Option<String>,
    /// When it began.
    pub created_date_time: Option<DateTime<Utc>>,
}
