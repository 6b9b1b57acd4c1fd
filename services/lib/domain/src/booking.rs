//! The appointment: from the moment the slot is taken until it is over.

use serde::{Deserialize, Serialize};

use crate::{
    Charted, GuestId, HostId, Interval, LobbyId, Machine, MeetingId, Outcome, Refused, ServiceId,
    Step, Timestamp,
};

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
}

/// What was agreed when the slot was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// What was booked.
    pub service: ServiceId,
    /// Who holds the meeting.
    pub host: HostId,
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
    /// The slot is taken.
    Confirmed,
    /// Called off; the slot is free again.
    Cancelled {
        /// Reason code given by who cancelled.
        reason: String,
    },
    /// It took place, or its time is over.
    Completed,
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
}

/// What a booking needs of the services below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Tell the broker that this meeting is wanted.
    EnsureMeeting,
    /// Tell the lobby manager whom to expect.
    OpenLobby,
    /// Timer: the booked time and the grace after it are over.
    CompleteWhenOver,
    /// Tell the broker that the meeting is not wanted any more.
    CancelMeeting,
    /// Tell the broker that the appointment is over.
    EndMeeting,
    /// Tell the lobby manager that nobody is let in any more.
    CloseLobby,
}

impl Machine for Booking {
    const KIND: &'static str = "booking";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::Booked { terms, .. } = event else {
            return Err(Refused::OUT_OF_ORDER);
        };
        let over = terms.interval.end().plus_millis(GRACE_MS);
        let booking = Self {
            terms,
            phase: Phase::Confirmed,
            meeting: MeetingView::Pending,
        };
        Ok(Step::to(booking)
            .then(Effect::EnsureMeeting)
            .then(Effect::OpenLobby)
            .then_at(over, Effect::CompleteWhenOver))
    }

    fn on(self, event: Event, _now: Timestamp) -> Outcome<Self> {
        use Phase::{Cancelled, Completed, Confirmed};
        Ok(match (&self.phase, event) {
            (_, Event::Booked { .. }) => return Err(Refused::OUT_OF_ORDER),
            (_, Event::MeetingReady) => self.sees_ready(),
            (_, Event::MeetingFailed { reason }) => self.sees(MeetingView::Failed { reason }),
            (_, Event::MeetingCancelled) => self.sees(MeetingView::Cancelled),
            (_, Event::MeetingEnded) => self.sees(MeetingView::Ended),

            (Confirmed, Event::BookingCancelled { reason }) => Some(
                Step::to(Self {
                    phase: Cancelled { reason },
                    ..self
                })
                .then(Effect::CancelMeeting)
                .then(Effect::CloseLobby),
            ),
            (Cancelled { .. }, Event::BookingCancelled { .. }) => None,
            (Completed, Event::BookingCancelled { .. }) => return Err(OVER),

            (Confirmed, Event::BookingCompleted) => Some(
                Step::to(Self {
                    phase: Completed,
                    ..self
                })
                .then(Effect::CloseLobby)
                .then(Effect::EndMeeting),
            ),
            (Completed, Event::BookingCompleted) => None,
            (Cancelled { .. }, Event::BookingCompleted) => return Err(CANCELLED),
        })
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::EnsureMeeting | Effect::OpenLobby | Effect::CompleteWhenOver => {
                self.phase == Phase::Confirmed
            }
            Effect::CancelMeeting => matches!(self.phase, Phase::Cancelled { .. }),
            Effect::EndMeeting => self.phase == Phase::Completed,
            Effect::CloseLobby => self.phase != Phase::Confirmed,
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Confirmed => "CONFIRMED",
            Phase::Cancelled { .. } => "CANCELLED",
            Phase::Completed => "COMPLETED",
        }
    }
}

const OVER: Refused = Refused::new(
    "BOOKING_COMPLETED",
    "the appointment is over and cannot be cancelled any more",
);
const CANCELLED: Refused = Refused::new(
    "BOOKING_CANCELLED",
    "the appointment was cancelled; book again",
);

impl Booking {
    /// A meeting of an appointment that is over has to go, also when the wish for it arrived behind the word that it is not wanted any more.
    fn sees_ready(self) -> Option<Step<Self>> {
        let over = match self.phase {
            Phase::Confirmed => None,
            Phase::Cancelled { .. } => Some(Effect::CancelMeeting),
            Phase::Completed => Some(Effect::EndMeeting),
        };
        let step = self.sees(MeetingView::Ready)?;
        Some(match over {
            Some(effect) => step.then(effect),
            None => step,
        })
    }

    /// Takes over what the broker says of the meeting. Facts come in the broker's order, so the latest is the truth.
    fn sees(self, meeting: MeetingView) -> Option<Step<Self>> {
        (self.meeting != meeting).then(|| Step::to(Self { meeting, ..self }))
    }
}

impl Charted for Booking {
    fn chart_events() -> (Event, Vec<Event>) {
        let zero = uuid::Uuid::nil();
        let booking = crate::BookingId::from_uuid(zero);
        let terms = Terms {
            service: ServiceId::from_uuid(zero),
            host: HostId::from_uuid(zero),
            interval: crate::chart::an_hour(),
            buffer_before_ms: 0,
            buffer_after_ms: 0,
            guests: vec![GuestId::from_uuid(zero)],
            meeting: booking.meeting(1),
            generation: 1,
            lobby: booking.lobby(),
        };
        let first = Event::Booked {
            terms,
            guests_digest: String::new(),
        };
        let later = vec![
            Event::MeetingReady,
            Event::MeetingFailed { reason: "R".into() },
            Event::MeetingCancelled,
            Event::MeetingEnded,
            Event::BookingCancelled { reason: "R".into() },
            Event::BookingCompleted,
        ];
        (first, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: impl IntoIterator<Item = Event>) -> Step<Booking> {
        let now = Timestamp::default();
        let (first, _) = Booking::chart_events();
        let mut step = Booking::begin(first, now).unwrap();
        for event in events {
            let stays = step.next.clone();
            step = stays
                .clone()
                .on(event, now)
                .unwrap()
                .unwrap_or_else(|| Step::to(stays));
        }
        step
    }

    #[test]
    fn a_meeting_that_is_made_after_the_end_goes_again() {
        let cancelled = || Event::BookingCancelled { reason: "R".into() };
        for (end, told, effect) in [
            (cancelled(), Event::MeetingCancelled, Effect::CancelMeeting),
            (
                Event::BookingCompleted,
                Event::MeetingEnded,
                Effect::EndMeeting,
            ),
        ] {
            // The broker had never heard of it, and then the wish for it arrived.
            let step = after([end, told, Event::MeetingReady]);
            assert_eq!(step.next.meeting, MeetingView::Ready);
            assert_eq!(step.effects[0].effect, effect);
            assert!(step.next.wanted(&effect));
        }
        assert!(after([Event::MeetingReady]).effects.is_empty());
    }
}
