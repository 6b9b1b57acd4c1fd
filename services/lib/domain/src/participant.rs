//! One party of a call as the others see them.

use serde::{Deserialize, Serialize};

use crate::{Charted, Machine, NoEffect, Outcome, Refused, Step, Timestamp, call::EndReason};

/// A party's stay in a call. Who comes again is a new participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// When they were there first.
    pub connected_at: Option<Timestamp>,
    /// Their microphone is off.
    pub muted: bool,
    /// Somebody else turned it off; only they turn it on again.
    pub muted_by_others: bool,
    /// Since when they ask to speak.
    pub hand_raised_at: Option<Timestamp>,
    /// Whether they show their screen.
    pub sharing: bool,
    /// How they stand.
    pub phase: Phase,
}

/// How a party stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Known, nothing done.
    Idle,
    /// Signalling runs.
    Connecting,
    /// They are asked.
    Ringing,
    /// Something is played before the answer.
    EarlyMedia,
    /// They wait to be admitted.
    InLobby,
    /// There.
    Connected,
    /// There, without media.
    Hold,
    /// Gone; final.
    Disconnected {
        /// Why.
        reason: EndReason,
    },
}

/// Facts of a participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// Somebody wants them in the call, or they come by themselves.
    ParticipantMade,
    /// Signalling began, or goes on behind the lobby.
    ConnectingBegun,
    /// They are asked.
    RingingBegun,
    /// Something is played before the answer.
    EarlyMediaBegun,
    /// They wait to be admitted.
    LobbyEntered,
    /// They are there.
    ParticipantConnected,
    /// Media stops.
    HoldBegun,
    /// Media goes on.
    HoldEnded,
    /// Their microphone is off.
    Muted {
        /// Somebody else did it.
        by_others: bool,
    },
    /// They turned it on.
    Unmuted,
    /// They ask to speak.
    HandRaised,
    /// They do not any more, or somebody lowered it.
    HandLowered,
    /// They show their screen.
    SharingBegun,
    /// They do not any more.
    SharingEnded,
    /// They are gone.
    ParticipantLeft {
        /// Why.
        reason: EndReason,
    },
}

const NOT_THERE: Refused = Refused::new(
    "PARTICIPANT_NOT_CONNECTED",
    "the participant is not connected; wait until they are",
);
const GONE: Refused = Refused::new(
    "PARTICIPANT_GONE",
    "the participant has left the call; add them anew",
);

impl Machine for Participant {
    const KIND: &'static str = "participant";
    type Event = Event;
    type Effect = NoEffect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        match event {
            Event::ParticipantMade => Ok(Step::to(Self {
                connected_at: None,
                muted: false,
                muted_by_others: false,
                hand_raised_at: None,
                sharing: false,
                phase: Phase::Idle,
            })),
            _ => Err(Refused::OUT_OF_ORDER),
        }
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        use Phase as P;
        let to = |one: Self, phase| Ok(Some(Step::to(Self { phase, ..one })));
        match (self.phase, event) {
            (P::Disconnected { .. }, Event::ParticipantLeft { .. }) => Ok(None),
            (P::Disconnected { .. }, _) => Err(GONE),
            (_, Event::ParticipantLeft { reason }) => Ok(Some(Step::to(Self {
                hand_raised_at: None,
                sharing: false,
                phase: P::Disconnected { reason },
                ..self
            }))),
            (_, Event::ParticipantMade) => Err(Refused::OUT_OF_ORDER),

            (P::Idle | P::InLobby, Event::ConnectingBegun) => to(self, P::Connecting),
            (P::Idle, Event::LobbyEntered) => to(self, P::InLobby),
            (P::Connecting, Event::RingingBegun) => to(self, P::Ringing),
            (P::Connecting, Event::EarlyMediaBegun) => to(self, P::EarlyMedia),
            (
                P::Connecting | P::Ringing | P::EarlyMedia | P::InLobby,
                Event::ParticipantConnected,
            ) => Ok(Some(Step::to(Self {
                connected_at: Some(now),
                phase: P::Connected,
                ..self
            }))),
            (P::Connected | P::Hold, Event::ParticipantConnected) => Ok(None),
            (P::Connected, Event::HoldBegun) => to(self, P::Hold),
            (P::Hold, Event::HoldBegun) => Ok(None),
            (P::Hold, Event::HoldEnded) => to(self, P::Connected),
            (P::Connected, Event::HoldEnded) => Ok(None),
            (
                _,
                Event::ConnectingBegun
                | Event::LobbyEntered
                | Event::RingingBegun
                | Event::EarlyMediaBegun
                | Event::ParticipantConnected,
            ) => Err(Refused::OUT_OF_ORDER),
            (P::Connected | P::Hold, does) => Ok(self.does(does, now)),
            _ => Err(NOT_THERE),
        }
    }

    fn wanted(&self, effect: &NoEffect) -> bool {
        match *effect {}
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Idle => "IDLE",
            Phase::Connecting => "CONNECTING",
            Phase::Ringing => "RINGING",
            Phase::EarlyMedia => "EARLY_MEDIA",
            Phase::InLobby => "IN_LOBBY",
            Phase::Connected => "CONNECTED",
            Phase::Hold => "HOLD",
            Phase::Disconnected { .. } => "DISCONNECTED",
        }
    }
}

impl Participant {
    /// What somebody does who is there.
    fn does(self, event: Event, now: Timestamp) -> Option<Step<Self>> {
        let before = self.clone();
        let mut next = self;
        match event {
            Event::Muted { by_others } => {
                next.muted_by_others = by_others && !next.muted || next.muted_by_others;
                next.muted = true;
            }
            Event::Unmuted => (next.muted, next.muted_by_others) = (false, false),
            Event::HandRaised => next.hand_raised_at = next.hand_raised_at.or(Some(now)),
            Event::HandLowered => next.hand_raised_at = None,
            Event::SharingBegun => next.sharing = true,
            Event::SharingEnded => next.sharing = false,
            _ => {}
        }
        (next != before).then(|| Step::to(next))
    }

    /// Whether they are there, with media or without.
    pub fn is_there(&self) -> bool {
        matches!(self.phase, Phase::Connected | Phase::Hold)
    }

    /// Why they are gone, when they are.
    pub fn left(&self) -> Option<EndReason> {
        match self.phase {
            Phase::Disconnected { reason } => Some(reason),
            _ => None,
        }
    }
}

impl Charted for Participant {
    fn chart_events() -> (Event, Vec<Event>) {
        let later = vec![
            Event::ConnectingBegun,
            Event::RingingBegun,
            Event::EarlyMediaBegun,
            Event::LobbyEntered,
            Event::ParticipantConnected,
            Event::HoldBegun,
            Event::HoldEnded,
            Event::Muted { by_others: false },
            Event::Muted { by_others: true },
            Event::Unmuted,
            Event::HandRaised,
            Event::HandLowered,
            Event::SharingBegun,
            Event::SharingEnded,
            Event::ParticipantLeft {
                reason: EndReason::REMOVED,
            },
        ];
        (Event::ParticipantMade, later)
    }
}
