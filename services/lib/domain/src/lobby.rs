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
    /// Which change of the booking's time it has followed last.
    #[serde(default)]
    pub moves: u64,
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
    /// The booking's time was changed.
    LobbyMoved {
        /// When it closes by itself from now on.
        closes_at: Timestamp,
        /// The booking's count of such changes: what arrives late changes nothing.
        moves: u64,
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
    CloseWhenOver {
        /// When, where the time was changed: the timer of the time before means nothing then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
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
            moves: 0,
        };
        Ok(Step::to(lobby).then_at(closes_at, Effect::CloseWhenOver { at: None }))
    }

    fn on(self, event: Event, _now: Timestamp) -> Outcome<Self> {
        match (&self.phase, event) {
            (_, Event::LobbyOpened { .. }) | (Phase::Closed { .. }, Event::LobbyClosed { .. }) => {
                Ok(None)
            }
            (Phase::Closed { .. }, Event::LobbyMoved { .. }) => Ok(None),
            (Phase::Open, Event::LobbyMoved { closes_at, moves }) => {
                let timer = Effect::CloseWhenOver {
                    at: Some(closes_at),
                };
                let next = Self {
                    closes_at,
                    moves,
                    ..self
                };
                Ok((moves > self.moves).then(|| Step::to(next).then_at(closes_at, timer)))
            }
            (Phase::Open, Event::LobbyClosed { reason }) => Ok(Some(Step::to(Self {
                phase: Phase::Closed { reason },
                ..self
            }))),
        }
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::CloseWhenOver { at } => {
                let current = at.map_or(self.moves == 0, |at| at == self.closes_at);
                current && self.is_open()
            }
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
        let later = vec![
            Event::LobbyMoved {
                closes_at: crate::chart::an_hour().end(),
                moves: 1,
            },
            Event::LobbyClosed { reason: "R".into() },
        ];
        (first, later)
    }
}
