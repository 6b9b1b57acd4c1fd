//! A recording of a meeting, from the wish to stored artefacts. A command is done when the provider confirms it.

mod machine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BookingId, MeetingId, Refused, Timestamp, meeting::StopCause};

/// A recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The booking.
    pub booking: BookingId,
    /// The meeting.
    pub meeting: MeetingId,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub phase: Phase,
    /// The segment that runs or ran last; a resume begins the next.
    pub current: u32,
    /// Segments that the provider confirmed.
    pub segments: BTreeMap<u32, Segment>,
}

/// A confirmed segment and what is left of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The provider has its artefact.
    pub ready: bool,
    /// Convene has stored it.
    pub artefact: Option<Artefact>,
}

/// Stored media of one segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artefact {
    /// MIME type.
    pub content_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// Where a recording stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Asked for; the broker does not know yet.
    Requested,
    /// The broker took the wish; the provider has not confirmed.
    Starting,
    /// The provider records.
    Recording,
    /// To be paused; the provider has not confirmed.
    Pausing,
    /// The provider confirmed that it does not record.
    Paused,
    /// To go on; the provider has not confirmed.
    Resuming,
    /// To end; the provider has not confirmed.
    Stopping,
    /// Over; the provider prepares the artefacts.
    Processing,
    /// The provider has all artefacts; Convene fetches them.
    Available,
    /// All artefacts are stored with their checksums.
    Stored,
    /// Nothing was recorded.
    Failed {
        /// Stable reason.
        reason: String,
    },
}

/// Facts of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The host asked for it.
    RecordingRequested {
        /// The booking.
        booking: BookingId,
        /// The meeting.
        meeting: MeetingId,
    },
    /// The broker took the wish.
    CaptureAccepted {
        /// For this segment.
        segment: u32,
    },
    /// The provider confirmed.
    CaptureStarted {
        /// This segment.
        segment: u32,
    },
    /// The broker or the provider refused.
    CaptureFailed {
        /// This segment.
        segment: u32,
        /// Stable reason.
        reason: String,
    },
    /// The provider confirmed that it does not record any more.
    CaptureStopped {
        /// This segment.
        segment: u32,
        /// Why.
        cause: StopCause,
    },
    /// The host wants a pause.
    PauseWanted,
    /// The host wants to go on.
    ResumeWanted,
    /// The host wants the end, or the meeting is over.
    StopWanted,
    /// The provider has a segment's artefact.
    ArtefactReady {
        /// This segment.
        segment: u32,
    },
    /// Convene has it.
    ArtefactStored {
        /// This segment.
        segment: u32,
        /// What was stored.
        artefact: Artefact,
    },
    /// Somebody entitled read it; the event's actor did.
    ArtefactRead {
        /// This segment.
        segment: u32,
    },
}

/// What a recording needs of the broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Ask for a segment.
    StartCapture {
        /// This one.
        segment: u32,
    },
    /// Ask for its end.
    StopCapture {
        /// This one.
        segment: u32,
    },
    /// Fetch and store its artefact.
    FetchArtefact {
        /// This one.
        segment: u32,
    },
}

impl Recording {
    /// Whether it still may record: a meeting has at most one such recording.
    pub fn is_running(&self) -> bool {
        matches!(
            self.phase,
            Phase::Requested
                | Phase::Starting
                | Phase::Recording
                | Phase::Pausing
                | Phase::Paused
                | Phase::Resuming
                | Phase::Stopping
        )
    }

    /// The stored artefact of a segment, or `Err(ARTEFACT_NOT_STORED)`.
    pub fn artefact(&self, segment: u32) -> Result<&Artefact, Refused> {
        self.segments
            .get(&segment)
            .and_then(|segment| segment.artefact.as_ref())
            .ok_or(NOT_STORED)
    }
}

const NOT_RECORDING: Refused = Refused::new(
    "NOT_RECORDING",
    "the recording does not run; read its state",
);
const NOT_PAUSED: Refused = Refused::new(
    "NOT_PAUSED",
    "only a paused recording can be resumed; read its state",
);
const RECORDING_OVER: Refused =
    Refused::new("RECORDING_OVER", "the recording is over; start a new one");
const NOT_STORED: Refused = Refused::new(
    "ARTEFACT_NOT_STORED",
    "this segment has no stored artefact yet; wait until the recording is STORED",
);
