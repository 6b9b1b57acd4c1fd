//! The transitions of a booking.

use super::*;
use crate::{Charted, Machine, Outcome, Refused, Step};

impl Machine for Booking {
    const KIND: &'static str = "booking";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::Booked { terms, pending, .. } = event else {
            return Err(Refused::OUT_OF_ORDER);
        };
        let booking = Self {
            terms,
            phase: Phase::Pending,
            meeting: MeetingView::Pending,
            moves: 0,
        };
        Ok(match pending {
            true => booking.waiting(),
            false => booking.confirmed(),
        })
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        match event {
            Event::Booked { .. } => Err(Refused::OUT_OF_ORDER),
            Event::BookingConfirmed => self.confirm(),
            Event::BookingDeclined { reason } => self.decline(reason),
            Event::BookingRescheduled {
                interval,
                buffer_before_ms,
                buffer_after_ms,
            } => {
                let terms = Terms {
                    interval,
                    buffer_before_ms,
                    buffer_after_ms,
                    ..self.terms.clone()
                };
                self.moved(terms, now)
            }
            Event::MeetingReady => Ok(self.sees_ready()),
            Event::MeetingFailed { reason } => Ok(self.sees(MeetingView::Failed { reason })),
            Event::MeetingCancelled => Ok(self.sees(MeetingView::Cancelled)),
            Event::MeetingEnded => Ok(self.sees(MeetingView::Ended)),
            Event::BookingCancelled { reason } => self.cancel(reason),
            Event::BookingCompleted => self.complete(),
            Event::BookingNoShow => self.no_show(now),
        }
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::EnsureMeeting | Effect::OpenLobby | Effect::MoveMeeting | Effect::MoveLobby => {
                self.phase == Phase::Confirmed
            }
            Effect::DeclineUnconfirmed { start } => {
                self.phase == Phase::Pending && *start == self.terms.interval.start()
            }
            Effect::CompleteWhenOver { over } => {
                let current = over.map_or(self.moves == 0, |over| over == self.terms.over());
                current && self.phase == Phase::Confirmed
            }
            Effect::CancelMeeting => matches!(self.phase, Phase::Cancelled { .. }),
            Effect::EndMeeting => matches!(self.phase, Phase::Completed | Phase::NoShow),
            Effect::CloseLobby => !matches!(self.phase, Phase::Pending | Phase::Confirmed),
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Pending => "PENDING",
            Phase::Confirmed => "CONFIRMED",
            Phase::Declined { .. } => "DECLINED",
            Phase::Cancelled { .. } => "CANCELLED",
            Phase::Completed => "COMPLETED",
            Phase::NoShow => "NO_SHOW",
        }
    }
}

const OVER: Refused = Refused::new(
    "BOOKING_COMPLETED",
    "the appointment is over and cannot be changed any more",
);
const CANCELLED: Refused = Refused::new(
    "BOOKING_CANCELLED",
    "the appointment was cancelled; book again",
);
const DECLINED: Refused = Refused::new(
    "BOOKING_DECLINED",
    "the appointment was declined; book again",
);
const STARTED: Refused = Refused::new(
    "BOOKING_STARTED",
    "the appointment has begun and stays at its time; book another one",
);
const NOT_STARTED: Refused = Refused::new(
    "BOOKING_NOT_STARTED",
    "nobody can be missing before the appointment begins; cancel it, or wait",
);
const NOT_CONFIRMED: Refused = Refused::new(
    "BOOKING_NOT_CONFIRMED",
    "the appointment waits for a confirmation; use confirmBooking or declineBooking",
);

impl Booking {
    /// Waits for somebody to agree, until it starts.
    fn waiting(self) -> Step<Self> {
        let start = self.terms.interval.start();
        Step::to(self).then_at(start, Effect::DeclineUnconfirmed { start })
    }

    /// Now a meeting and a lobby are wanted.
    fn confirmed(self) -> Step<Self> {
        let over = self.terms.over();
        let timer = Effect::CompleteWhenOver {
            over: (self.moves > 0).then_some(over),
        };
        let next = Self {
            phase: Phase::Confirmed,
            ..self
        };
        Step::to(next)
            .then(Effect::EnsureMeeting)
            .then(Effect::OpenLobby)
            .then_at(over, timer)
    }

    fn to(self, phase: Phase) -> Step<Self> {
        Step::to(Self { phase, ..self })
    }

    fn confirm(self) -> Outcome<Self> {
        match self.phase {
            Phase::Pending => Ok(Some(self.confirmed())),
            Phase::Confirmed => Ok(None),
            Phase::Declined { .. } => Err(DECLINED),
            Phase::Cancelled { .. } => Err(CANCELLED),
            Phase::Completed | Phase::NoShow => Err(OVER),
        }
    }

    fn decline(self, reason: String) -> Outcome<Self> {
        match self.phase {
            // Nobody was told of a meeting or lobby yet.
            Phase::Pending => Ok(Some(self.to(Phase::Declined { reason }))),
            Phase::Declined { .. } => Ok(None),
            Phase::Confirmed => Err(Refused::new(
                "BOOKING_CONFIRMED",
                "somebody has agreed already; cancel the appointment instead",
            )),
            Phase::Cancelled { .. } => Err(CANCELLED),
            Phase::Completed | Phase::NoShow => Err(OVER),
        }
    }

    fn cancel(self, reason: String) -> Outcome<Self> {
        match self.phase {
            Phase::Pending => Ok(Some(self.to(Phase::Cancelled { reason }))),
            Phase::Confirmed => Ok(Some(
                self.to(Phase::Cancelled { reason })
                    .then(Effect::CancelMeeting)
                    .then(Effect::CloseLobby),
            )),
            Phase::Cancelled { .. } => Ok(None),
            Phase::Declined { .. } => Err(DECLINED),
            Phase::Completed | Phase::NoShow => Err(OVER),
        }
    }

    fn complete(self) -> Outcome<Self> {
        match self.phase {
            Phase::Pending => Err(NOT_CONFIRMED),
            Phase::Confirmed => Ok(Some(self.to(Phase::Completed).ending())),
            Phase::Completed | Phase::NoShow => Ok(None),
            Phase::Declined { .. } => Err(DECLINED),
            Phase::Cancelled { .. } => Err(CANCELLED),
        }
    }

    fn no_show(self, now: Timestamp) -> Outcome<Self> {
        match self.phase {
            Phase::Pending => Err(NOT_CONFIRMED),
            Phase::Confirmed if now < self.terms.interval.start() => Err(NOT_STARTED),
            Phase::Confirmed => Ok(Some(self.to(Phase::NoShow).ending())),
            // Everything is closed already.
            Phase::Completed => Ok(Some(self.to(Phase::NoShow))),
            Phase::NoShow => Ok(None),
            Phase::Declined { .. } => Err(DECLINED),
            Phase::Cancelled { .. } => Err(CANCELLED),
        }
    }

    /// Takes a new time over. Nothing to do when it is the time already.
    fn moved(self, terms: Terms, now: Timestamp) -> Outcome<Self> {
        match self.phase {
            Phase::Pending | Phase::Confirmed if terms == self.terms => return Ok(None),
            Phase::Pending | Phase::Confirmed if self.terms.interval.start() <= now => {
                return Err(STARTED);
            }
            Phase::Pending | Phase::Confirmed => {}
            Phase::Declined { .. } => return Err(DECLINED),
            Phase::Cancelled { .. } => return Err(CANCELLED),
            Phase::Completed | Phase::NoShow => return Err(OVER),
        }
        let over = terms.over();
        let next = Self {
            terms,
            moves: self.moves + 1,
            ..self
        };
        if next.phase == Phase::Pending {
            return Ok(Some(next.waiting()));
        }
        Ok(Some(
            Step::to(next)
                .then(Effect::MoveMeeting)
                .then(Effect::MoveLobby)
                .then_at(over, Effect::CompleteWhenOver { over: Some(over) }),
        ))
    }

    /// A meeting of an appointment that is over has to go, also when the wish for it arrived behind the word that it is not wanted any more.
    fn sees_ready(self) -> Option<Step<Self>> {
        let over = match self.phase {
            Phase::Pending | Phase::Confirmed | Phase::Declined { .. } => None,
            Phase::Cancelled { .. } => Some(Effect::CancelMeeting),
            Phase::Completed | Phase::NoShow => Some(Effect::EndMeeting),
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

impl Step<Booking> {
    fn ending(self) -> Self {
        self.then(Effect::CloseLobby).then(Effect::EndMeeting)
    }
}

impl Charted for Booking {
    fn chart_events() -> (Event, Vec<Event>) {
        let zero = uuid::Uuid::nil();
        let booking = crate::BookingId::from_uuid(zero);
        let terms = Terms {
            service: ServiceId::from_uuid(zero),
            host: HostId::from_uuid(zero),
            co_hosts: vec![],
            counted: false,
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
            pending: true,
        };
        let later = vec![
            Event::BookingRescheduled {
                interval: crate::chart::an_hour(),
                buffer_before_ms: 0,
                buffer_after_ms: 0,
            },
            Event::BookingConfirmed,
            Event::BookingDeclined { reason: "R".into() },
            Event::BookingNoShow,
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
            let step = after([Event::BookingConfirmed, end, told, Event::MeetingReady]);
            assert_eq!(step.next.meeting, MeetingView::Ready);
            assert_eq!(step.effects[0].effect, effect);
            assert!(step.next.wanted(&effect));
        }
        assert!(
            after([Event::BookingConfirmed, Event::MeetingReady])
                .effects
                .is_empty()
        );
    }
}
