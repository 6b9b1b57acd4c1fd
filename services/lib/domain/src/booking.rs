//! The appointment: from the moment the slot is taken until it is over.

mod machine;

use serde::{Deserialize, Serialize};

use crate::{GuestId, HostId, Interval, LobbyId, MeetingId, ServiceId, Timestamp};

/// How long after the booked end the appointment is taken to be over when nobody said so, in milliseconds.
pub const GRACE_MS: i64 = 30 * 60 * 1000;

/// An appointment and what is known of its meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Booking {
    /// What was agreed.
    pub terms: Terms,
    /// Where the appointment stands.
    pub phase: Phase,
    /// Where its meeting stands, as the broker's facts tell.
    pub meeting: MeetingView,
    /// How often its time was changed.
    #[serde(default)]
    pub moves: u64,
}

/// What was agreed when the slot was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// What was booked.
    pub service: ServiceId,
    /// Who holds the meeting.
    pub host: HostId,
    /// Who else of the organisation takes part, and is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_hosts: Vec<HostId>,
    /// Whether it counts for the shares of the service's hosts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counted: bool,
    /// From when to when, without buffers.
    pub interval: Interval,
    /// Buffer before the start that occupies the host too, in milliseconds.
    pub buffer_before_ms: i64,
    /// Buffer after the end, in milliseconds.
    pub buffer_after_ms: i64,
    /// Who is invited; names stay outside the machine.
    pub guests: Vec<GuestId>,
    /// The booking's meeting.
    pub meeting: MeetingId,
    /// Its generation: 1 for the first meeting of a booking.
    pub generation: u32,
    /// The booking's lobby.
    pub lobby: LobbyId,
}

impl Terms {
    /// When the appointment is taken to be over.
    pub fn over(&self) -> Timestamp {
        self.interval.end().plus_millis(GRACE_MS)
    }

    /// Everybody whose time it takes.
    pub fn hosts(&self) -> Vec<HostId> {
        let mut hosts = vec![self.host];
        hosts.extend(&self.co_hosts);
        hosts
    }

    /// The host's time that this booking takes.
    pub fn occupies(&self) -> Interval {
        self.interval
            .widened(self.buffer_before_ms, self.buffer_after_ms)
    }
}

/// Where the appointment stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// The slot is taken, and somebody of the organisation has to agree yet.
    Pending,
    /// The slot is taken.
    Confirmed,
    /// Nobody agreed; the slot is free again.
    Declined {
        /// Reason code given by who declined, or `NOT_CONFIRMED_IN_TIME`.
        reason: String,
    },
    /// Called off; the slot is free again.
    Cancelled {
        /// Reason code given by who cancelled.
        reason: String,
    },
    /// It took place, or its time is over.
    Completed,
    /// Nobody who was invited came.
    NoShow,
}

/// The meeting as the booking knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum MeetingView {
    /// Not there yet.
    Pending,
    /// Made at the provider.
    Ready,
    /// The provider refuses for good.
    Failed {
        /// Stable reason.
        reason: String,
    },
    /// Gone at the provider.
    Cancelled,
    /// Over.
    Ended,
}

/// Facts of a booking's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The slot was taken.
    Booked {
        /// What was agreed.
        terms: Terms,
        /// SHA-256 over a random salt and the guests' personal data, lower-case hex: proves them without holding them.
        guests_digest: String,
        /// Whether somebody of the organisation has to agree yet.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pending: bool,
    },
    /// Somebody of the organisation agreed.
    BookingConfirmed,
    /// Nobody agreed.
    BookingDeclined {
        /// Reason code.
        reason: String,
    },
    /// Its time was changed; everything else stays: id, guests, hosts, meeting, lobby.
    BookingRescheduled {
        /// From when to when from now on, without buffers.
        interval: Interval,
        /// Buffer before the start from now on, in milliseconds.
        buffer_before_ms: i64,
        /// Buffer after the end from now on, in milliseconds.
        buffer_after_ms: i64,
    },
    /// The meeting exists at the provider.
    MeetingReady,
    /// The meeting cannot be made.
    MeetingFailed {
        /// Stable reason.
        reason: String,
    },
    /// The meeting is gone at the provider.
    MeetingCancelled,
    /// The meeting is over.
    MeetingEnded,
    /// Somebody called the appointment off.
    BookingCancelled {
        /// Reason code.
        reason: String,
    },
    /// The host said that the appointment is over, or its time ran out.
    BookingCompleted,
    /// The host said that nobody came.
    BookingNoShow,
}

/// What a booking needs of the services below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Tell the broker that this meeting is wanted.
    EnsureMeeting,
    /// Tell the lobby manager whom to expect.
    OpenLobby,
    /// Tell the broker the meeting's new time.
    MoveMeeting,
    /// Tell the lobby manager the lobby's new end.
    MoveLobby,
    /// Timer: it starts, and nobody has agreed.
    DeclineUnconfirmed {
        /// When it starts.
        start: Timestamp,
    },
    /// Timer: the booked time and the grace after it are over.
    CompleteWhenOver {
        /// When that is, where the time was changed: the timer of the time before means nothing then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Timestamp>,
    },
    /// Tell the broker that the meeting is not wanted any more.
    CancelMeeting,
    /// Tell the broker that the appointment is over.
    EndMeeting,
    /// Tell the lobby manager that nobody is let in any more.
    CloseLobby,
}
