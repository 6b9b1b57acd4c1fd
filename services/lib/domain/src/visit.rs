//! One guest's stay in one lobby. Every visit reaches an end state that the guest is told (I4).

use serde::{Deserialize, Serialize};

use crate::{
    BookingId, Charted, GuestId, LobbyId, Machine, MeetingId, NoEffect, Outcome, PermitId, Refused,
    Step, Timestamp,
};

/// A guest's stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// The lobby.
    pub lobby: LobbyId,
    /// The booking.
    pub booking: BookingId,
    /// The meeting behind the lobby.
    pub meeting: MeetingId,
    /// The guest.
    pub guest: GuestId,
    /// When the guest arrived.
    pub arrived_at: Option<Timestamp>,
    /// When the visit reached its end state.
    pub ended_at: Option<Timestamp>,
    /// Where the visit stands.
    pub phase: Phase,
}

/// Where a visit stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Invited, not arrived.
    Expected,
    /// In the lobby.
    Waiting,
    /// Let in: the permit says so.
    Admitted {
        /// The permit issued in the same transaction (I3).
        permit: PermitId,
    },
    /// Turned away.
    Denied {
        /// Reason code.
        reason: String,
    },
    /// The lobby closed first, or the guest never came.
    TimedOut {
        /// Reason code.
        reason: String,
    },
    /// The guest went away.
    Left,
}

/// Facts of a visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The guest is on the booking.
    VisitExpected {
        /// The lobby.
        lobby: LobbyId,
        /// The booking.
        booking: BookingId,
        /// The meeting.
        meeting: MeetingId,
        /// The guest.
        guest: GuestId,
    },
    /// The guest showed a ticket.
    GuestArrived,
    /// Somebody entitled let the guest in.
    GuestAdmitted {
        /// The permit issued with it.
        permit: PermitId,
        /// Reason code of the decision.
        reason: String,
    },
    /// Somebody entitled turned the guest away.
    GuestDenied {
        /// Reason code of the decision.
        reason: String,
    },
    /// Nobody decided in time.
    VisitTimedOut {
        /// Reason code.
        reason: String,
    },
    /// The guest said goodbye.
    GuestLeft,
}

impl Machine for Visit {
    const KIND: &'static str = "visit";
    type Event = Event;
    type Effect = NoEffect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::VisitExpected {
            lobby,
            booking,
            meeting,
            guest,
        } = event
        else {
            return Err(Refused::OUT_OF_ORDER);
        };
        Ok(Step::to(Self {
            lobby,
            booking,
            meeting,
            guest,
            arrived_at: None,
            ended_at: None,
            phase: Phase::Expected,
        }))
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        use Phase::{Admitted, Denied, Expected, Left, TimedOut, Waiting};
        Ok(match (&self.phase, event) {
            (_, Event::VisitExpected { .. }) => None,
            (Expected, Event::GuestArrived) => Some(Step::to(Self {
                arrived_at: Some(now),
                phase: Waiting,
                ..self
            })),
            // A reconnect keeps place and history, in whatever state the visit is.
            (_, Event::GuestArrived) => None,

            (Waiting, Event::GuestAdmitted { permit, .. }) => self.ends(Admitted { permit }, now),
            (Admitted { .. }, Event::GuestAdmitted { .. }) => None,
            (Expected, Event::GuestAdmitted { .. }) => return Err(NOT_ARRIVED),
            (_, Event::GuestAdmitted { .. }) => return Err(ENDED),

            (Waiting | Expected, Event::GuestDenied { reason }) => {
                self.ends(Denied { reason }, now)
            }
            (Denied { .. }, Event::GuestDenied { .. }) => None,
            (_, Event::GuestDenied { .. }) => return Err(ENDED),

            (Waiting | Expected, Event::VisitTimedOut { reason }) => {
                self.ends(TimedOut { reason }, now)
            }
            (_, Event::VisitTimedOut { .. }) => None,

            (Waiting | Expected, Event::GuestLeft) => self.ends(Left, now),
            (_, Event::GuestLeft) => None,
        })
    }

    fn wanted(&self, effect: &NoEffect) -> bool {
        match *effect {}
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Expected => "EXPECTED",
            Phase::Waiting => "WAITING",
            Phase::Admitted { .. } => "ADMITTED",
            Phase::Denied { .. } => "DENIED",
            Phase::TimedOut { .. } => "TIMED_OUT",
            Phase::Left => "LEFT",
        }
    }
}

const NOT_ARRIVED: Refused = Refused::new(
    "GUEST_NOT_ARRIVED",
    "the guest has not entered the lobby yet; admit them once they wait",
);
const ENDED: Refused = Refused::new(
    "VISIT_ENDED",
    "the visit has already ended otherwise; read its state",
);

impl Visit {
    fn ends(self, phase: Phase, now: Timestamp) -> Option<Step<Self>> {
        Some(Step::to(Self {
            ended_at: Some(now),
            phase,
            ..self
        }))
    }

    /// Whether the guest has been told an end state or will be by reading this.
    pub fn is_over(&self) -> bool {
        !matches!(self.phase, Phase::Expected | Phase::Waiting)
    }
}

impl Charted for Visit {
    fn chart_events() -> (Event, Vec<Event>) {
        let zero = uuid::Uuid::nil();
        let booking = BookingId::from_uuid(zero);
        let reason = || "R".to_owned();
        let first = Event::VisitExpected {
            lobby: booking.lobby(),
            booking,
            meeting: booking.meeting(1),
            guest: GuestId::from_uuid(zero),
        };
        let later = vec![
            Event::GuestArrived,
            Event::GuestAdmitted {
                permit: PermitId::from_uuid(zero),
                reason: reason(),
            },
            Event::GuestDenied { reason: reason() },
            Event::VisitTimedOut { reason: reason() },
            Event::GuestLeft,
        ];
        (first, later)
    }
}
