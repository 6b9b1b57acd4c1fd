//! One guest's stay in one lobby. Every visit reaches an end state that the guest is told (I4).

use serde::{Deserialize, Serialize};

use crate::{
    BookingId, Charted, GuestId, LobbyId, Machine, MeetingId, Outcome, PermitId, Refused, Step,
    Timestamp,
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
    /// For what a guest waits whom a plugin sent on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
}

/// For what a guest waits, other than for a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitsFor {
    /// For their turn in this queue.
    Queue(String),
    /// Until this step is done.
    Step(String),
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
    GuestArrived {
        /// Whether a plugin is bound that has to be asked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        asks: bool,
    },
    /// A plugin was asked. What it decided follows as a fact of its own when the guest is let in or turned away.
    PluginDecided {
        /// The call in the journal.
        call: uuid::Uuid,
        /// SHA-256 of the module, in hex.
        digest: String,
        /// "ADMIT", "WAIT", "DENY", "ROUTE", "REQUIRE_STEP", or "FAULT" when there is no verdict.
        verdict: String,
        /// Reason code, or the queue or step.
        subject: String,
        /// For what the guest waits from now on.
        waits_for: Option<WaitsFor>,
        /// The plugin has failed once too often with this, and is not asked before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tripped_until: Option<Timestamp>,
    },
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

/// What a visit needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Ask the plugin that is bound to the lobby.
    AskPlugin,
}

impl Machine for Visit {
    const KIND: &'static str = "visit";
    type Event = Event;
    type Effect = Effect;

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
            waits_for: None,
        }))
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        use Phase::{Admitted, Denied, Expected, Left, TimedOut, Waiting};
        Ok(match (&self.phase, event) {
            (_, Event::VisitExpected { .. }) => None,
            (Expected, Event::GuestArrived { asks }) => {
                let step = Step::to(Self {
                    arrived_at: Some(now),
                    phase: Waiting,
                    ..self
                });
                Some(if asks {
                    step.then(Effect::AskPlugin)
                } else {
                    step
                })
            }
            // A reconnect keeps place and history, in whatever state the visit is.
            (_, Event::GuestArrived { .. }) => None,

            // Whoever was decided on meanwhile, or went away, is none of the plugin's any more.
            (Waiting, Event::PluginDecided { waits_for, .. }) => {
                Some(Step::to(Self { waits_for, ..self }))
            }
            (_, Event::PluginDecided { .. }) => None,

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

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::AskPlugin => self.phase == Phase::Waiting,
        }
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
            Event::GuestArrived { asks: true },
            Event::PluginDecided {
                call: zero,
                digest: String::new(),
                verdict: "WAIT".into(),
                subject: reason(),
                waits_for: None,
                tripped_until: Some(Timestamp::from_millis(0)),
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(asks: bool) -> Step<Visit> {
        let (first, _) = Visit::chart_events();
        let now = Timestamp::from_millis(0);
        let visit = Visit::begin(first, now).unwrap().next;
        visit
            .on(Event::GuestArrived { asks }, now)
            .unwrap()
            .unwrap()
    }

    fn decided(waits_for: Option<WaitsFor>) -> Event {
        Event::PluginDecided {
            call: uuid::Uuid::nil(),
            digest: "d".into(),
            verdict: "ROUTE".into(),
            subject: "vip".into(),
            waits_for,
            tripped_until: None,
        }
    }

    #[test]
    fn a_plugin_is_asked_where_one_is_bound() {
        assert!(waiting(false).effects.is_empty());
        let step = waiting(true);
        assert_eq!(step.effects[0].effect, Effect::AskPlugin);
        assert!(step.next.wanted(&Effect::AskPlugin));
    }

    #[test]
    fn a_plugin_never_moves_a_visit_by_itself() {
        let queue = Some(WaitsFor::Queue("vip".into()));
        let (visit, now) = (waiting(true).next, Timestamp::from_millis(1));
        let sent = visit.on(decided(queue.clone()), now).unwrap().unwrap().next;
        assert_eq!((&sent.phase, &sent.waits_for), (&Phase::Waiting, &queue));
        let left = sent.on(Event::GuestLeft, now).unwrap().unwrap().next;
        assert!(left.clone().on(decided(None), now).unwrap().is_none());
        assert!(!left.wanted(&Effect::AskPlugin));
    }

    #[test]
    fn arrivals_of_before_plugins_are_still_read() {
        let old: Event = serde_json::from_str(r#"{"type":"GuestArrived"}"#).unwrap();
        assert_eq!(old, Event::GuestArrived { asks: false });
        assert_eq!(
            serde_json::to_string(&old).unwrap(),
            r#"{"type":"GuestArrived"}"#
        );
    }
}
