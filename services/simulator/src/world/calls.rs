//! Calls of the application into meetings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Directory, Full, World, derived_uuid};

/// How long the simulated cloud takes to connect a call, to finish an operation and to prepare a recording, in milliseconds of its clock.
pub const SETTLE_MS: i64 = 50;
/// Operations that one call remembers; the oldest is forgotten first.
const OPERATIONS_MAX: usize = 1_000;

/// The application's leg in a meeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Id.
    pub id: String,
    /// Meeting that it is in.
    pub meeting: String,
    /// Chain id, answered to the client.
    pub chain_id: String,
    /// The application's own participant.
    pub participant_id: String,
    /// Where notifications were wanted.
    pub callback_uri: String,
    /// Connected from then on, in milliseconds.
    pub established_ms: i64,
    /// Operations by their number.
    operations: BTreeMap<u64, Operation>,
}

/// A long-running operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Id.
    pub id: String,
    /// `startRecordingOperation`, `stopRecordingOperation` …
    pub kind: String,
    /// Client's own words, echoed.
    pub client_context: Option<String>,
    /// Done from then on, in milliseconds.
    pub done_ms: i64,
    /// How it ends.
    pub ended: Ended,
}

/// How an operation ends: Graph's `resultInfo`, of success too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// 200, or the HTTP status that a refusal would have had.
    pub code: u16,
    /// Finer reason.
    pub subcode: u32,
    /// In words.
    pub message: String,
}

/// Why the application could not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinError {
    /// No such meeting.
    Unknown,
    /// No room.
    Full,
}

impl Ended {
    /// Done.
    pub fn well() -> Self {
        Self {
            code: 200,
            subcode: 0,
            message: String::new(),
        }
    }

    /// Refused.
    pub fn badly(subcode: u32, message: &str) -> Self {
        Self {
            code: 400,
            subcode,
            message: message.to_owned(),
        }
    }
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

    /// One of its operations.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.values().find(|o| o.id == id)
    }

    /// All its operations, the oldest first.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }
}

impl Operation {
    /// Graph's `operationStatus`, spelled as in the pages' samples (the metadata has capitals).
    pub fn status(&self, now_ms: i64) -> &'static str {
        match (now_ms >= self.done_ms, self.ended.code) {
            (false, _) => "running",
            (true, 200) => "completed",
            (true, _) => "failed",
        }
    }
}

impl World {
    /// A call that has not ended.
    pub fn call(&self, id: &str) -> Option<&Call> {
        self.calls.get(id)
    }

    /// The application joins a meeting.
    pub fn join(
        &mut self,
        directory: &Directory,
        meeting: &str,
        callback_uri: String,
        now_ms: i64,
    ) -> Result<&Call, JoinError> {
        self.room().map_err(|Full| JoinError::Full)?;
        let number = self.next();
        let id = |what: &str| derived_uuid(directory.seed, &format!("{what}/{number}"));
        let call = Call {
            id: id("call"),
            meeting: meeting.to_owned(),
            chain_id: id("chain"),
            participant_id: id("participant"),
            callback_uri,
            established_ms: now_ms + SETTLE_MS,
            operations: BTreeMap::new(),
        };
        let meeting = self.meetings.get_mut(meeting).ok_or(JoinError::Unknown)?;
        meeting.calls.insert(call.id.clone());
        Ok(self.calls.entry(call.id.clone()).or_insert(call))
    }

    /// Ends a call; what it was recording stops. `false` when it was over.
    pub fn end_call(&mut self, id: &str, now_ms: i64) -> bool {
        let Some(call) = self.calls.remove(id) else {
            return false;
        };
        if let Some(meeting) = self.meetings.get_mut(&call.meeting) {
            meeting.calls.remove(id);
            if meeting.running_recording().is_some_and(|r| r.call == id) {
                meeting.stop_recording(now_ms);
            }
        }
        true
    }

    /// Notes an operation that a call has begun. `None` when the call is over.
    pub fn begin_operation(
        &mut self,
        directory: &Directory,
        call: &str,
        kind: &str,
        client_context: Option<String>,
        ended: Ended,
        now_ms: i64,
    ) -> Option<&Operation> {
        let number = self.next();
        let call = self.calls.get_mut(call)?;
        if call.operations.len() >= OPERATIONS_MAX {
            call.operations.pop_first();
        }
        let operation = Operation {
            id: derived_uuid(directory.seed, &format!("operation/{number}")),
            kind: kind.to_owned(),
            client_context,
            done_ms: now_ms + SETTLE_MS,
            ended,
        };
        Some(call.operations.entry(number).or_insert(operation))
    }
}
