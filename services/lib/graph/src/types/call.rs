//! Calls, their operations and recordings on the wire.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

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

impl JoinCall {
    pub(crate) fn meeting(&self, tenant: &str) -> Value {
        json!({
            "chatInfo": {"@odata.type": "#microsoft.graph.chatInfo", "threadId": self.thread_id, "messageId": "0"},
            "meetingInfo": {
                "@odata.type": "#microsoft.graph.organizerMeetingInfo",
                "organizer": {
                    "@odata.type": "#microsoft.graph.identitySet",
                    "user": {"@odata.type": "#microsoft.graph.identity", "id": self.organizer_id, "tenantId": tenant},
                },
                "allowConversationWithoutHost": true,
            },
        })
    }
}

/// Joining a meeting as the application by its digits, where its chat is not known.
#[derive(Clone)]
pub struct JoinById {
    /// Where notifications would go.
    pub callback_uri: String,
    /// The digits.
    pub join_meeting_id: String,
    /// Where the meeting has one: a bearer secret.
    pub passcode: Option<SecretString>,
}

impl JoinById {
    pub(crate) fn meeting(&self) -> Value {
        json!({
            "meetingInfo": {
                "@odata.type": "#microsoft.graph.joinMeetingIdMeetingInfo",
                "joinMeetingId": self.join_meeting_id,
                "passcode": self.passcode.as_ref().map(ExposeSecret::expose_secret),
            },
        })
    }
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
