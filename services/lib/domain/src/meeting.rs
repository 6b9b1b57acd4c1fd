//! The meeting of a booking at the provider, and its door.
//!
//! What goes in (join details) and what is taken out (recording) pass the same machine, so that I5 is one comparison: while a capture
//! runs, every holder of join details has consented.

mod machine;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Audience, BookingId, Interval, PermitId, RecordingId, Refused, Timestamp};

/// After a creation or cancellation the provider is looked at once more after this time, in milliseconds (I2's reconcile bound).
pub const RECONCILE_MS: i64 = 5 * 60 * 1000;

/// Segments that one meeting keeps at the most; each pause ends one.
pub const SEGMENTS_MAX: usize = 100;

/// A meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// The booking it belongs to.
    pub booking: BookingId,
    /// 1 for the first meeting of a booking.
    pub generation: u32,
    /// From when to when.
    pub interval: Interval,
    /// Where it stands.
    pub phase: Phase,
    /// Its names at the provider, once known.
    pub external: Option<External>,
    /// Who holds join details.
    pub holders: BTreeSet<Audience>,
    /// What people decided about recording, holders or not yet.
    pub consents: BTreeMap<Audience, Decided>,
    /// Whether the provider records.
    pub capture: Capture,
    /// The provider's id of the call through which Convene records.
    pub call: Option<String>,
    /// Captures that began, in order.
    pub segments: Vec<Segment>,
    /// Which change of the booking's time it has followed last, and which the provider has confirmed.
    #[serde(default)]
    pub moves: Moves,
}

/// Changes of a booking's time, counted by the booking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    /// The last one that was told.
    pub told: u64,
    /// The last one that the provider has.
    pub confirmed: u64,
}

impl Moves {
    /// Whether the provider has yet to follow.
    pub fn open(self) -> bool {
        self.confirmed < self.told
    }

    /// Whether it is news that the provider has followed one of them.
    fn news(self, moves: u64) -> bool {
        (self.confirmed + 1..=self.told).contains(&moves)
    }
}

/// A person's newest decision about recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Consent, or no consent any more.
    pub given: bool,
    /// Version of the ledger's line.
    pub version: u64,
}

/// Where a meeting stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Wanted, not made yet.
    Pending,
    /// Made; its join details are sealed in the broker.
    Ready,
    /// The provider refuses for good.
    Failed {
        /// Stable reason.
        reason: String,
    },
    /// Not wanted any more; the provider has not confirmed.
    Cancelling,
    /// Gone at the provider.
    Cancelled,
    /// Over.
    Ended,
}

/// The provider's names of a meeting: ids, no join details.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct External {
    /// Adapter that made it.
    pub provider: String,
    /// The provider's object id of the organizer.
    pub organizer_id: String,
    /// Calendar event.
    pub event_id: String,
    /// Online meeting.
    pub online_meeting_id: String,
    /// Bypass scope that was asked for.
    pub lobby_bypass_wanted: String,
    /// Bypass scope in force.
    pub lobby_bypass_effective: String,
}

/// Whether the provider records, and for which segment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Capture {
    /// Nothing is recorded.
    Off,
    /// Asked for, not confirmed.
    Starting(SegmentId),
    /// Confirmed by the provider.
    On(SegmentId),
    /// To be stopped, not confirmed.
    Stopping {
        /// What is being stopped.
        #[serde(flatten)]
        segment: SegmentId,
        /// Why.
        cause: StopCause,
    },
}

/// Which part of which recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentId {
    /// The recording.
    pub recording: RecordingId,
    /// 1, 2, 3 …
    pub segment: u32,
}

/// Why a capture stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StopCause {
    /// The coordinator asked: pause or stop.
    Requested,
    /// A holder took consent back.
    ConsentWithdrawn,
    /// The meeting is over.
    MeetingEnded,
}

/// A capture that began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Which.
    #[serde(flatten)]
    pub id: SegmentId,
    /// The call it ran through.
    pub call: String,
    /// Whether it has ended.
    pub stopped: bool,
    /// The provider's id of the artefact, once there.
    pub artefact: Option<String>,
}

/// Facts of a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A booking wants it.
    MeetingWanted {
        /// The booking.
        booking: BookingId,
        /// Which meeting of the booking.
        generation: u32,
        /// From when to when.
        interval: Interval,
    },
    /// The provider has it; join details were sealed in the same transaction.
    MeetingReady {
        /// Names at the provider.
        external: External,
    },
    /// The provider refuses for good.
    MeetingFailed {
        /// Stable reason.
        reason: String,
    },
    /// The booking's time was changed.
    MoveWanted {
        /// From when to when from now on.
        interval: Interval,
        /// The booking's count of such changes: what arrives late changes nothing.
        moves: u64,
    },
    /// The provider has the event at the new time; it is the same event.
    MeetingMoved {
        /// Which change it has followed.
        moves: u64,
    },
    /// The booking was cancelled.
    CancelWanted {
        /// Reason code.
        reason: String,
    },
    /// The provider has it no more.
    MeetingCancelled,
    /// The appointment is over.
    MeetingEnded,
    /// Join details went to their one audience.
    JoinDetailsReleased {
        /// On this permit.
        permit: PermitId,
        /// To this audience.
        audience: Audience,
    },
    /// A person decided about recording.
    ConsentRecorded {
        /// Who.
        audience: Audience,
        /// What.
        given: bool,
        /// Version of the ledger's line: what arrives late changes nothing.
        version: u64,
    },
    /// The coordinator wants a segment.
    CaptureWanted {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
    },
    /// The broker is in the provider's meeting.
    CallJoined {
        /// The provider's call id.
        call: String,
    },
    /// The broker left the provider's meeting.
    CallLeft,
    /// The provider confirmed that it records.
    CaptureStarted {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
        /// Through which call.
        call: String,
    },
    /// The provider refuses to record.
    CaptureFailed {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
        /// Stable reason.
        reason: String,
    },
    /// The coordinator wants no more of it.
    CaptureStopWanted {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
    },
    /// The provider confirmed that it does not record any more.
    CaptureStopped {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
        /// Why.
        cause: StopCause,
    },
    /// The provider has the segment's artefact.
    ArtefactReady {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
        /// The provider's id of it.
        artefact: String,
    },
}

/// What a meeting needs of the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Make it, or find the one that an earlier try made.
    CreateMeeting,
    /// Give the provider's event the meeting's time.
    MoveMeeting,
    /// Remove all that carries its external key.
    CancelMeeting,
    /// Look once more that the provider has one, or none when cancelled.
    Reconcile,
    /// Join when not in the meeting yet, then record.
    StartCapture {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
    },
    /// Stop recording.
    StopCapture {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
    },
    /// Wait for the segment's artefact to appear.
    LocateArtefact {
        /// Which.
        #[serde(flatten)]
        segment: SegmentId,
    },
    /// Leave the provider's meeting.
    LeaveCall,
}

impl Meeting {
    /// Holders of join details who have not consented to recording.
    pub fn holders_without_consent(&self) -> impl Iterator<Item = &Audience> {
        self.holders
            .iter()
            .filter(|audience| !self.consents_to_recording(audience))
    }

    /// Whether the newest decision of a person is a consent.
    pub fn consents_to_recording(&self, audience: &Audience) -> bool {
        self.consents
            .get(audience)
            .is_some_and(|decided| decided.given)
    }

    /// A started segment.
    pub fn segment(&self, id: SegmentId) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.id == id)
    }

    /// `Err` unless join details may go to `audience` now.
    pub fn ensure_may_enter(&self, audience: &Audience) -> Result<(), Refused> {
        self.ensure_ready()?;
        if self.capture != Capture::Off && !self.consents_to_recording(audience) {
            return Err(CONSENT_REQUIRED);
        }
        Ok(())
    }

    fn ensure_ready(&self) -> Result<(), Refused> {
        match self.phase {
            Phase::Ready => Ok(()),
            Phase::Pending => Err(NOT_READY),
            Phase::Failed { .. } => Err(FAILED),
            Phase::Cancelling | Phase::Cancelled => Err(CANCELLED),
            Phase::Ended => Err(ENDED),
        }
    }
}

impl Capture {
    /// The segment it is about, unless off.
    pub fn segment(&self) -> Option<SegmentId> {
        match *self {
            Self::Off => None,
            Self::Starting(segment) | Self::On(segment) | Self::Stopping { segment, .. } => {
                Some(segment)
            }
        }
    }
}

/// When the provider is looked at once more.
fn reconcile_at(now: Timestamp) -> Timestamp {
    now.plus_millis(RECONCILE_MS)
}

const NOT_READY: Refused = Refused::new(
    "MEETING_NOT_READY",
    "the meeting is still being made; try again in a moment",
);
const FAILED: Refused = Refused::new(
    "MEETING_FAILED",
    "the provider refused to make the meeting; read the meeting's reason",
);
const CANCELLED: Refused = Refused::new("MEETING_CANCELLED", "the meeting was cancelled");
const ENDED: Refused = Refused::new("MEETING_ENDED", "the meeting is over");
const CONSENT_REQUIRED: Refused = Refused::new(
    "CONSENT_REQUIRED",
    "the meeting is being recorded: give consent to recording first, or wait until it is paused or stopped",
);
const CONSENT_MISSING: Refused = Refused::new(
    "CONSENT_MISSING",
    "somebody in the meeting has not consented to recording; see holdersWithoutConsent",
);
const CAPTURE_BUSY: Refused = Refused::new(
    "CAPTURE_BUSY",
    "the meeting is being recorded for another segment; stop that one first",
);
const TOO_MANY_SEGMENTS: Refused = Refused::new(
    "TOO_MANY_SEGMENTS",
    "this meeting's recording was paused too often (100 segments); start no further one",
);
