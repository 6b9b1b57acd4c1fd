//! What can become true of a run, and what it needs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Happening;
use crate::{BookingId, Timestamp};

/// Facts of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// Something happened that a workflow is bound to.
    RunStarted {
        /// Name of the workflow.
        workflow: String,
        /// Its version.
        version: u32,
        /// The booking.
        booking: BookingId,
        /// What happened.
        trigger: Happening,
    },
    /// A step waits for its time before it is begun.
    StepScheduled {
        /// Which.
        step: String,
        /// When.
        at: Timestamp,
    },
    /// A step is begun.
    StepBegan {
        /// Which.
        step: String,
        /// Whether something has to be done outside.
        acts: bool,
        /// The arm of a branch.
        arm: Option<u32>,
    },
    /// A step waits for a time, for an event, or for either.
    StepWaits {
        /// Which.
        step: String,
        /// Until when at the longest.
        until: Option<Timestamp>,
    },
    /// What it waits for has another time now.
    WaitMoved {
        /// Which step.
        step: String,
        /// When.
        at: Timestamp,
    },
    /// A timer went off.
    Woken {
        /// Which step.
        step: String,
        /// Which timer.
        turn: u32,
    },
    /// An event or a signal that a step waits for, or may come to wait for.
    Happened {
        /// What.
        happening: Happening,
    },
    /// A step took what it had waited for.
    Taken {
        /// Which step.
        step: String,
        /// Which happening.
        key: Uuid,
    },
    /// An attempt failed.
    AttemptFailed {
        /// Of which step.
        step: String,
        /// Which attempt.
        turn: u32,
        /// Reason code.
        reason: String,
        /// The pause before the next; none when it has failed for good.
        pause_ms: Option<i64>,
    },
    /// A step is done.
    StepSucceeded {
        /// Which.
        step: String,
        /// What came out, free of personal data.
        output: Value,
    },
    /// A step is not wanted.
    StepSkipped {
        /// Which.
        step: String,
        /// Reason code.
        reason: String,
    },
    /// A step failed for good, without an attempt of its own.
    StepFailed {
        /// Which.
        step: String,
        /// Reason code.
        reason: String,
    },
    /// A step failed, and what was done before it is made good.
    CompensationBegan {
        /// Which step failed.
        step: String,
        /// Reason code.
        reason: String,
    },
    /// All steps are over.
    RunSucceeded,
    /// It failed for good.
    RunFailed {
        /// Which step failed.
        step: String,
        /// Reason code.
        reason: String,
    },
    /// It was called off.
    RunCancelled {
        /// Reason code.
        reason: String,
    },
    /// Somebody wants the failed step done again.
    RetryWanted,
}

/// What a run needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Do the step once.
    Act {
        /// Which.
        step: String,
        /// Which attempt.
        turn: u32,
    },
    /// Say that the time has come.
    Wake {
        /// To which step.
        step: String,
        /// Which timer.
        turn: u32,
    },
}
