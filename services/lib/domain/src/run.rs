//! One run of a workflow for one booking: what was begun, what waits, what came of it.
//!
//! The machine holds the history together; which step comes next is decided by the definition, which it does not know. So the same run can be
//! judged by another version of the definition.

mod facts;
mod machine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{BookingId, Timestamp};

pub use facts::{Effect, Event};

/// Happenings that a run remembers for steps that wait for them.
pub const INBOX_MAX: usize = 100;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the workflow.
    pub workflow: String,
    /// Its version: the run keeps it to its end.
    pub version: u32,
    /// The booking it is about.
    pub booking: BookingId,
    /// What started it.
    pub trigger: Happening,
    /// Where it stands.
    pub phase: Phase,
    /// The steps that were begun, by their ids.
    pub steps: BTreeMap<String, StepRun>,
    /// What happened since, for steps that wait for it; oldest first.
    pub inbox: Vec<Happening>,
    /// Names attempts and timers: one more with each.
    pub turn: u32,
}

/// A public event, or a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happening {
    /// Public name of the event, or `signal.` and the signal's name.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Names it among all others, so that it counts once.
    pub key: Uuid,
    /// Its public fields.
    pub data: Value,
    /// The step that was waiting for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Steps go on or wait.
    Running,
    /// A step failed; what was done is being made good, last first.
    Compensating {
        /// The step that failed.
        step: String,
        /// Reason code.
        reason: String,
    },
    /// All steps are over.
    Succeeded,
    /// A step failed for good.
    Failed {
        /// The step.
        step: String,
        /// Reason code.
        reason: String,
    },
    /// Called off.
    Cancelled {
        /// Reason code.
        reason: String,
    },
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    /// Where it stands.
    pub phase: StepPhase,
    /// When it was begun, or put on the clock.
    pub began_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The attempt or timer that is wanted.
    pub turn: u32,
    /// Attempts made.
    #[serde(default)]
    pub attempts: u32,
    /// Until when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Its timer has gone off.
    #[serde(default)]
    pub woken: bool,
    /// The arm of a branch that was taken; none when no condition held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<u32>,
    /// Reason code of a failure, of the last failed attempt, or of having been skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What came out, free of personal data.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepPhase {
    /// Its time has not come.
    Scheduled,
    /// It is being done, or steps within it are.
    Running,
    /// For a time or an event.
    Waiting,
    /// An attempt failed; the next has its time.
    Retrying,
    /// Done.
    Succeeded,
    /// Not wanted, or too late.
    Skipped,
    /// For good.
    Failed,
}

/// Begins the id under which a step's compensation runs.
pub const UNDO: &str = "undo:";

impl StepRun {
    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        matches!(
            self.phase,
            StepPhase::Succeeded | StepPhase::Skipped | StepPhase::Failed
        )
    }

    fn new(phase: StepPhase, now: Timestamp) -> Self {
        Self {
            phase,
            began_at: now,
            ended_at: None,
            turn: 0,
            attempts: 0,
            until: None,
            woken: false,
            arm: None,
            reason: None,
            output: Value::Null,
        }
    }
}

impl StepPhase {
    /// As APIs show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Running => "RUNNING",
            Self::Waiting => "WAITING",
            Self::Retrying => "RETRYING",
            Self::Succeeded => "SUCCEEDED",
            Self::Skipped => "SKIPPED",
            Self::Failed => "FAILED",
        }
    }
}
