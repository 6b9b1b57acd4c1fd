//! All that applications ask of calls.

use serde::{Deserialize, Serialize};

use super::Tone;

/// How the outcome of an operation is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Echoed.
    pub operation_context: Option<String>,
    /// In place of the leg's own callback.
    pub callback: Option<String>,
}

/// A call to place.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCall {
    /// Raw ids.
    pub targets: Vec<String>,
    /// Where callbacks go.
    pub callback: String,
    /// Echoed.
    pub operation_context: Option<String>,
    /// E.164, when a target is a phone.
    pub caller_id: Option<String>,
    /// Shown to who is called.
    pub display_name: Option<String>,
}

/// Somebody to add.
#[derive(Clone, Debug, PartialEq)]
pub struct Adding {
    /// Raw id.
    pub target: String,
    /// E.164, when it is a phone.
    pub caller_id: Option<String>,
    /// How long they may ring, in seconds.
    pub timeout_s: Option<i64>,
    /// How it is told.
    pub told: Told,
}

/// Something that is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Prompt {
    /// A WAV file.
    File(String),
    /// So many characters that are spoken.
    Speech(usize),
}

/// One of several answers: its label, the words for it, and the key for it.
pub type Choice = (String, Vec<String>, Option<Tone>);

/// What is listened for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// Tones count.
    pub tones: bool,
    /// Speech counts.
    pub speech: bool,
    /// The answers to choose from.
    pub choices: Vec<Choice>,
    /// Raw id.
    pub target: String,
    /// Whether whoever answers early stops the prompt.
    pub interrupt_prompt: bool,
    /// Silence at first, in milliseconds.
    pub initial_silence_ms: i64,
    /// Silence between tones, in milliseconds.
    pub inter_tone_ms: i64,
    /// So many are enough.
    pub tones_max: Option<usize>,
    /// After one of these it is enough.
    pub stop_tones: Vec<Tone>,
}

/// What is done with media on a leg.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaCommand {
    /// Plays to somebody, or to all.
    Play {
        /// At least one.
        prompts: Vec<Prompt>,
        /// Raw id; all when there is none.
        to: Option<String>,
        /// Again and again until cancelled.
        repeats: bool,
        /// What runs before is cancelled.
        interrupts: bool,
        /// How it is told.
        told: Told,
    },
    /// Plays, then listens.
    Recognize {
        /// Played first.
        prompts: Vec<Prompt>,
        /// What counts.
        recognition: Recognition,
        /// What runs before is cancelled.
        interrupts: bool,
        /// How it is told.
        told: Told,
    },
    /// All that is played and listened for stops.
    CancelAll,
    /// Sends tones to somebody.
    SendTones {
        /// Raw id.
        target: String,
        /// At most 18.
        tones: Vec<Tone>,
        /// How it is told.
        told: Told,
    },
    /// Tones of somebody are told as they come, or not any more.
    Continuous {
        /// Raw id.
        target: String,
        /// Whether it begins.
        on: bool,
        /// How it is told.
        told: Told,
    },
}

/// What is asked of a running leg.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// How it stands.
    Read,
    /// The application leaves.
    HangUp,
    /// The call ends for everyone.
    Terminate,
    /// Who is there.
    Participants {
        /// Where the page begins.
        after: Option<String>,
    },
    /// One of them.
    Participant(String),
    /// Invites somebody.
    Add(Adding),
    /// Does not wait for them any more.
    CancelAdd {
        /// The invitation.
        invitation: String,
        /// How it is told.
        told: Told,
    },
    /// Takes somebody out.
    Remove {
        /// Raw id.
        target: String,
        /// How it is told.
        told: Told,
    },
    /// Turns microphones off.
    Mute {
        /// Raw ids.
        targets: Vec<String>,
    },
    /// Holds somebody or lets them go on.
    Hold {
        /// Raw id.
        target: String,
        /// Whether they are held.
        on: bool,
    },
    /// Hands somebody on.
    Transfer {
        /// To whom: raw id.
        target: String,
        /// Whom: raw id; the only other participant when there is none.
        transferee: Option<String>,
        /// E.164, when the target is a phone.
        caller_id: Option<String>,
        /// How it is told.
        told: Told,
    },
    /// Media.
    Media(MediaCommand),
}

/// What is asked of calls.
#[derive(Clone, Debug, PartialEq)]
pub enum CallCommand {
    /// Places one.
    Create(NewCall),
    /// Takes an incoming one.
    Answer {
        /// Of its event.
        context: String,
        /// Where callbacks go.
        callback: String,
        /// Echoed.
        operation_context: Option<String>,
        /// Raw id.
        answered_by: Option<String>,
    },
    /// Sends an incoming one to somebody else.
    Redirect {
        /// Of its event.
        context: String,
        /// Raw id.
        target: String,
    },
    /// Refuses an incoming one.
    Reject {
        /// Of its event.
        context: String,
        /// In the words of the wire.
        reason: Option<String>,
    },
    /// Comes into a running call.
    Connect {
        /// The id that all its legs share.
        call: String,
        /// Where callbacks go.
        callback: String,
        /// Echoed.
        operation_context: Option<String>,
    },
    /// About a running leg.
    Leg(String, Wanted),
}
