//! The waiting room of one booking.

use serde::{Deserialize, Serialize};

use crate::{BookingId, Charted, HostId, Machine, MeetingId, Outcome, Refused, Step, Timestamp};

/// Guests that one lobby takes at the most (the size of a Teams meeting's and an ACS call's roster).
pub const GUESTS_MAX: usize = 350;

/// A lobby. Its visits are machines of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lobby {
    /// The booking it serves.
    pub booking: BookingId,
    /// The meeting behind it.
    pub meeting: MeetingId,
    /// Who may admit.
    pub host: HostId,
    /// When it closes by itself.
    pub closes_at: Timestamp,
    /// Where it stands.
    pub phase: Phase,
}

/// Where a lobby stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Guests may arrive and be admitted.
    Open,
    /// Nobody is let in any more.
    Closed {
        /// Reason code.
        reason: String,
    },
}

/// Facts of a lobby's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The scheduler asked for it.
    LobbyOpened {
        /// The booking it serves.
        booking: BookingId,
        /// The meeting behind it.
        meeting: MeetingId,
        /// Who may admit.
        host: HostId,
        /// When it closes by itself.
        closes_at: Timestamp,
    },
    /// The appointment is over or called off.
    LobbyClosed {
        /// Reason code.
        reason: String,
    },
}

/// What a lobby needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Timer: close when nobody did.
    CloseWhenOver,
}

impl Machine for Lobby {
    const KIND: &'static str = "lobby";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::LobbyOpened {
            booking,
            meeting,
            host,
            closes_at,
        } = event
        else {
            return Err(Refused::OUT_OF_ORDER);
        };
        let lobby = Self {
            booking,
            meeting,
            host,
            closes_at,
            phase: Phase::Open,
        };
        Ok(Step::to(lobby).then_at(closes_at, Effect::CloseWhenOver))
    }

    fn on(self, event: Event, _now: Timestamp) -> Outcome<Self> {
        match (&self.phase, event) {
            (_, Event::LobbyOpened { .. }) | (Phase::Closed { .. }, Event::LobbyClosed { .. }) => {
                Ok(None)
            }
            (Phase::Open, Event::LobbyClosed { reason }) => Ok(Some(Step::to(Self {
                phase: Phase::Closed { reason },
                ..self
            }))),
        }
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::CloseWhenOver => self.is_open(),
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Open => "OPEN",
            Phase::Closed { .. } => "CLOSED",
        }
    }
}

impl Lobby {
    /// Whether guests may still arrive and be admitted.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// `Err(LOBBY_CLOSED)` unless it is open.
    pub fn ensure_open(&self) -> Result<(), Refused> {
        if self.is_open() { Ok(()) } else { Err(CLOSED) }
    }
}

const CLOSED: Refused = Refused::new(
    "LOBBY_CLOSED",
    "the lobby is closed; ask for a new appointment",
);

impl Charted for Lobby {
    fn chart_events() -> (Event, Vec<Event>) {
        let booking = BookingId::from_uuid(uuid::Uuid::nil());
        let first = Event::LobbyOpened {
            booking,
            meeting: booking.meeting(1),
            host: HostId::from_uuid(uuid::Uuid::nil()),
            closes_at: crate::chart::an_hour().end(),
        };
        let later = vec![Event::LobbyClosed { reason: "R".into() }];
        (first, later)
    }
}
