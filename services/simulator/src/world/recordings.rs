//! What meetings record: spans between a start and a stop. The sound itself is synthesised when it is asked for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Meeting, derived_uuid};

/// A span of recording.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Id.
    pub id: String,
    /// Call that recorded; for an automatic recording the id of the meeting's own session.
    pub call: String,
    /// What joins a recording with its transcript.
    pub correlation_id: String,
    /// Begun, in milliseconds.
    pub started_ms: i64,
    /// Ended, in milliseconds.
    pub ended_ms: Option<i64>,
    /// People in the meeting at the start: the number of tones in the sound.
    pub voices: usize,
}

impl Meeting {
    /// The span that is being recorded now.
    pub fn running_recording(&self) -> Option<&Recording> {
        let last = self.recordings.last()?;
        last.ended_ms.is_none().then_some(last)
    }

    /// Begins a span, recorded by a call. `false` when one is running.
    pub fn start_recording(&mut self, seed: u64, call: Option<&str>, now_ms: i64) -> bool {
        if self.running_recording().is_some() {
            return false;
        }
        let name = format!("recording/{}/{}", self.id, self.recordings.len());
        self.recordings.push(Recording {
            id: derived_uuid(seed, &name),
            call: call.map_or_else(
                || derived_uuid(seed, &format!("session/{}", self.id)),
                str::to_owned,
            ),
            correlation_id: derived_uuid(seed, &format!("content/{name}")),
            started_ms: now_ms,
            ended_ms: None,
            voices: self.present(),
        });
        true
    }

    /// Ends the running span. `false` when none runs.
    pub fn stop_recording(&mut self, now_ms: i64) -> bool {
        match self.recordings.last_mut() {
            Some(last) if last.ended_ms.is_none() => {
                last.ended_ms = Some(now_ms.max(last.started_ms));
                true
            }
            _ => false,
        }
    }

    /// After somebody came or went, of `before` who were present: `recordAutomatically` records from the first person on (those who come later do
    /// not start again what was stopped by hand), and an empty meeting records nothing.
    pub fn follow_presence(&mut self, before: usize, seed: u64, now_ms: i64) {
        let automatic = self.members.get("recordAutomatically") == Some(&Value::Bool(true));
        match self.present() {
            0 => {
                self.stop_recording(now_ms);
            }
            _ if before == 0 && automatic && self.event.is_some() => {
                self.start_recording(seed, None, now_ms);
            }
            _ => {}
        }
    }
}
