//! One client's own view of a call, with the states that calling SDKs show.

use serde::{Deserialize, Serialize};

use crate::{Charted, Machine, NoEffect, Outcome, Refused, Step, Timestamp, call::EndReason};

/// A client's leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// When it was connected first.
    pub connected_at: Option<Timestamp>,
    /// Held by this client.
    pub held_here: bool,
    /// Held by the other side; there is one between two only.
    pub held_there: bool,
    /// Where the leg stands.
    pub phase: Phase,
}

/// Where a leg stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Made, nothing done.
    None,
    /// Signalling runs.
    Connecting,
    /// The other side is asked.
    Ringing,
    /// Something is played before the answer.
    EarlyMedia,
    /// Waits to be admitted.
    InLobby,
    /// In the call: media, or hold.
    Connected,
    /// Says goodbye.
    Disconnecting {
        /// Why.
        reason: EndReason,
    },
    /// Over; final.
    Disconnected {
        /// Why.
        reason: EndReason,
    },
}

/// Facts of a leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The client wants a call.
    LegMade,
    /// Signalling began.
    ConnectingBegun,
    /// The other side is asked.
    RingingBegun,
    /// Something is played before the answer.
    EarlyMediaBegun,
    /// It waits to be admitted.
    LobbyEntered,
    /// It is in the call.
    LegConnected,
    /// This client holds.
    HeldHere,
    /// This client resumes.
    ResumedHere,
    /// The other side holds.
    HeldThere,
    /// The other side resumes.
    ResumedThere,
    /// It is to end.
    EndBegun {
        /// Why.
        reason: EndReason,
    },
    /// It is over.
    LegEnded {
        /// Why; the reason of the goodbye when there was one.
        reason: EndReason,
    },
}

/// Hold needs a connected leg.
const NOT_CONNECTED: Refused = Refused::new(
    "LEG_NOT_CONNECTED",
    "the leg is not connected; wait until it is",
);
const OVER: Refused = Refused::new("LEG_OVER", "the leg is over; place a new call");

impl Machine for Leg {
    const KIND: &'static str = "leg";
    type Event = Event;
    type Effect = NoEffect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::LegMade => Ok(Step::to(Self {
                connected_at: None,
                held_here: false,
                held_there: false,
                phase: Phase::None,
            })),
            _ => Err(Refused::OUT_OF_ORDER),
        }
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        use Phase as P;
        let to = |leg: Self, phase| Ok(Some(Step::to(Self { phase, ..leg })));
        match (self.phase, event) {
            // Nothing comes behind the end.
            (P::Disconnected { .. }, Event::LegEnded { .. } | Event::EndBegun { .. }) => Ok(None),
            (P::Disconnected { .. }, _) => Err(OVER),
            (P::Disconnecting { reason }, Event::LegEnded { .. }) => {
                to(self, P::Disconnected { reason })
            }
            (P::Disconnecting { .. }, Event::EndBegun { .. }) => Ok(None),
            (P::Disconnecting { .. }, _) => Err(OVER),
            (_, Event::EndBegun { reason }) => to(self, P::Disconnecting { reason }),
            // A leg whose network is lost does not say goodbye.
            (P::Connected, Event::LegEnded { reason }) => to(self, P::Disconnected { reason }),
            (_, Event::LegEnded { .. } | Event::LegMade) => Err(Refused::OUT_OF_ORDER),

            (P::None, Event::ConnectingBegun) => to(self, P::Connecting),
            (P::Connecting, Event::RingingBegun) => to(self, P::Ringing),
            (P::Connecting | P::Ringing, Event::EarlyMediaBegun) => to(self, P::EarlyMedia),
            (P::Connecting, Event::LobbyEntered) => to(self, P::InLobby),
            (P::Connecting | P::Ringing | P::EarlyMedia | P::InLobby, Event::LegConnected) => {
                Ok(Some(Step::to(Self {
                    connected_at: Some(now),
                    phase: P::Connected,
                    ..self
                })))
            }
            (P::Connected, Event::LegConnected) => Ok(None),
            (P::Connected, held) => self.holds(held),
            (_, Event::HeldHere | Event::ResumedHere | Event::HeldThere | Event::ResumedThere) => {
                Err(NOT_CONNECTED)
            }
            (
                _,
                Event::ConnectingBegun
                | Event::RingingBegun
                | Event::EarlyMediaBegun
                | Event::LobbyEntered
                | Event::LegConnected,
            ) => Err(Refused::OUT_OF_ORDER),
        }
    }

    fn wanted(&self, effect: &NoEffect) -> bool {
        match *effect {}
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::None => "NONE",
            Phase::Connecting => "CONNECTING",
            Phase::Ringing => "RINGING",
            Phase::EarlyMedia => "EARLY_MEDIA",
            Phase::InLobby => "IN_LOBBY",
            Phase::Connected if self.held_here => "LOCAL_HOLD",
            Phase::Connected if self.held_there => "REMOTE_HOLD",
            Phase::Connected => "CONNECTED",
            Phase::Disconnecting { .. } => "DISCONNECTING",
            Phase::Disconnected { .. } => "DISCONNECTED",
        }
    }
}

impl Leg {
    /// Both sides of a call between two hold by themselves, and both must resume.
    fn holds(mut self, event: Event) -> Outcome<Self> {
        let (held, wanted) = match event {
            Event::HeldHere => (&mut self.held_here, true),
            Event::ResumedHere => (&mut self.held_here, false),
            Event::HeldThere => (&mut self.held_there, true),
            Event::ResumedThere => (&mut self.held_there, false),
            _ => return Err(Refused::OUT_OF_ORDER),
        };
        if *held == wanted {
            return Ok(None);
        }
        *held = wanted;
        Ok(Some(Step::to(self)))
    }

    /// Why it is over, when it is.
    pub fn ended(&self) -> Option<EndReason> {
        match self.phase {
            Phase::Disconnected { reason } => Some(reason),
            _ => None,
        }
    }
}

impl Charted for Leg {
    fn chart_events() -> (Event, Vec<Event>) {
        let reason = EndReason::ENDED_BY_USER;
        let later = vec![
            Event::ConnectingBegun,
            Event::RingingBegun,
            Event::EarlyMediaBegun,
            Event::LobbyEntered,
            Event::LegConnected,
            Event::HeldHere,
            Event::ResumedHere,
            Event::HeldThere,
            Event::ResumedThere,
            Event::EndBegun { reason },
            Event::LegEnded { reason },
        ];
        (Event::LegMade, later)
    }
}
