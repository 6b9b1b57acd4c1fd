//! Calls of the application into meetings, and what they record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::World;

/// How long the simulated cloud takes to connect a call or to start and stop recording, in milliseconds of its clock.
pub const SETTLE_MS: i64 = 50;

/// The application's leg in a meeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Id.
    pub id: String,
    /// Meeting that it is in.
    pub meeting: String,
    /// Chain id, answered to the client.
    pub chain_id: String,
    /// The application's own participant.
    pub participant_id: String,
    /// Connected from then on, in milliseconds.
    pub established_ms: i64,
    /// Operations by id.
    pub operations: BTreeMap<String, Operation>,
}

/// A long-running operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// Id.
    pub id: String,
    /// `startRecordingOperation`, `stopRecordingOperation` …
    pub kind: String,
    /// Client's own words, echoed.
    pub client_context: Option<String>,
    /// Done from then on, in milliseconds.
    pub done_ms: i64,
    /// `(code, subcode, message)` when it fails.
    pub failure: Option<(u16, u32, String)>,
}

/// A span of recording.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// Id.
    pub id: String,
    /// Meeting.
    pub meeting: String,
    /// Call that recorded.
    pub call: String,
    /// Begun, in milliseconds.
    pub started_ms: i64,
    /// Ended, in milliseconds.
    pub ended_ms: Option<i64>,
    /// People in the meeting at the start: the number of tones in the synthesised sound.
    pub voices: usize,
}

impl Call {
    /// Graph's state name.
    pub fn state(&self, now_ms: i64) -> &'static str {
        if now_ms >= self.established_ms {
            "established"
        } else {
            "establishing"
        }
    }
}

impl World {
    /// The span that this call is recording now.
    pub fn running_recording(&mut self, meeting: &str) -> Option<&mut Recording> {
        self.recordings
            .iter_mut()
            .find(|recording| recording.meeting == meeting && recording.ended_ms.is_none())
    }

    /// Ends the calls into a meeting and their recording.
    pub fn end_calls(&mut self, meeting: &str, now_ms: i64) {
        self.calls.retain(|_, call| call.meeting != meeting);
        if let Some(recording) = self.running_recording(meeting) {
            recording.ended_ms = Some(now_ms);
        }
    }

    /// Ends one call; with the last one its recording stops.
    pub fn end_call(&mut self, id: &str, now_ms: i64) -> Option<Call> {
        let call = self.calls.remove(id)?;
        if let Some(recording) = self.running_recording(&call.meeting)
            && recording.call == call.id
        {
            recording.ended_ms = Some(now_ms);
        }
        Some(call)
    }
}
