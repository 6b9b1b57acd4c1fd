//! What is played and listened for on a leg, one thing after the other.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Prompt, Recognition, Told, Tone};

/// Operations that wait in a lane.
pub const WAITING_MAX: usize = 100;

/// One after the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lane {
    /// What runs.
    pub running: Option<Operation>,
    /// What comes next.
    pub waiting: VecDeque<Operation>,
}

/// Something with media.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// Its number.
    pub id: u64,
    /// What is played first.
    pub prompts: Vec<Prompt>,
    /// Which of them.
    pub at: usize,
    /// What is listened for then.
    pub recognition: Option<Recognition>,
    /// How it is told.
    pub told: Told,
    /// How far it is.
    pub step: Step,
    /// What was pressed.
    pub tones: Vec<Tone>,
    /// From the beginning again at the end.
    pub repeats: bool,
    /// Whether it was told that it began.
    pub begun: bool,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Its turn has not come, or a prompt is looked at.
    Waiting,
    /// A prompt is played.
    Playing,
    /// Somebody is listened to.
    Listening,
}

impl Operation {
    /// The event of an outcome: `Play` or `Recognize`, and the word for it.
    pub fn event(&self, outcome: &str) -> String {
        let kind = match self.recognition {
            Some(_) => "Recognize",
            None => "Play",
        };
        format!("{kind}{outcome}")
    }
}
