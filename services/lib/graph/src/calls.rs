//! The application's calls into meetings, and the recording actions of Graph beta.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Call, Graph, JoinById, JoinCall, Operation, Result, events::there, transport::Send};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RosterEntry {
    recording_info: Option<RecordingInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordingInfo {
    recording_status: String,
}

impl Graph {
    /// Joins a meeting, known by organizer and chat, as the application.
    pub async fn join_call(&self, join: &JoinCall) -> Result<Call> {
        self.join(&join.callback_uri, join.meeting(&self.config.tenant))
            .await
    }

    /// Joins a meeting, known by its digits, as the application.
    pub async fn join_call_by_id(&self, join: &JoinById) -> Result<Call> {
        self.join(&join.callback_uri, join.meeting()).await
    }

    async fn join(&self, callback_uri: &str, meeting: Value) -> Result<Call> {
        let mut body = json!({
            "@odata.type": "#microsoft.graph.call",
            "callbackUri": callback_uri,
            "requestedModalities": ["audio"],
            "mediaConfig": {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"},
            "tenantId": self.config.tenant,
        });
        if let (Value::Object(body), Value::Object(meeting)) = (&mut body, meeting) {
            body.extend(meeting);
        }
        let url = self.v1(&["communications", "calls"]);
        self.json(Send::new(Method::POST, "/communications/calls", url).body(&body))
            .await
    }

    /// One call.
    pub async fn get_call(&self, id: &str) -> Result<Call> {
        let url = self.v1(&["communications", "calls", id]);
        self.json(Send::new(Method::GET, "/communications/calls/{call}", url))
            .await
    }

    /// Ends the application's leg; `false` when it was over already.
    pub async fn hang_up(&self, id: &str) -> Result<bool> {
        let url = self.v1(&["communications", "calls", id]);
        let send = Send::new(Method::DELETE, "/communications/calls/{call}", url);
        there(self.done(send).await)
    }

    /// Whether the meeting of a call is being recorded, by its roster.
    pub async fn is_recording(&self, id: &str) -> Result<bool> {
        let url = self.v1(&["communications", "calls", id, "participants"]);
        let route = "/communications/calls/{call}/participants";
        let roster: Vec<RosterEntry> = self.all(Send::new(Method::GET, route, url)).await?;
        Ok(roster
            .iter()
            .filter_map(|entry| entry.recording_info.as_ref())
            .any(|info| info.recording_status.eq_ignore_ascii_case("recording")))
    }

    /// Starts recording (beta); done when the operation is.
    pub async fn start_recording(&self, id: &str, context: &str) -> Result<Operation> {
        self.act(
            id,
            "startRecording",
            "/communications/calls/{call}/startRecording",
            context,
        )
        .await
    }

    /// Stops recording (beta); done when the operation is.
    pub async fn stop_recording(&self, id: &str, context: &str) -> Result<Operation> {
        self.act(
            id,
            "stopRecording",
            "/communications/calls/{call}/stopRecording",
            context,
        )
        .await
    }

    async fn act(
        &self,
        id: &str,
        action: &str,
        route: &'static str,
        context: &str,
    ) -> Result<Operation> {
        let url = self.beta(&["communications", "calls", id, action]);
        let body: Value = json!({ "clientContext": context });
        self.json(Send::new(Method::POST, route, url).body(&body))
            .await
    }

    /// How an operation of a call stands.
    pub async fn get_operation(&self, call: &str, operation: &str) -> Result<Operation> {
        let url = self.beta(&["communications", "calls", call, "operations", operation]);
        let route = "/communications/calls/{call}/operations/{operation}";
        self.json(Send::new(Method::GET, route, url)).await
    }
}
