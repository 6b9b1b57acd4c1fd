//! One event on its way to one webhook endpoint, under one id that it keeps over all attempts and redeliveries (I7).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{BookingId, Charted, EndpointId, Machine, Outcome, Refused, Step, Timestamp};

/// How long a delivery is attempted after its first attempt, or after a redelivery was asked for, in milliseconds: a day.
pub const GIVE_UP_MS: i64 = 24 * 3_600_000;

/// Pauses after the first, second … failed attempt, in milliseconds; the last one stays. At least half of a pause is waited, the rest is chance.
pub const PAUSES_MS: [u64; 9] = [
    5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000,
];

/// Attempts that a delivery remembers; the oldest are forgotten first, and stay in its chain of events.
pub const ATTEMPTS_KEPT: usize = 50;

/// A delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where to.
    pub endpoint: EndpointId,
    /// The booking that the event belongs to.
    pub booking: BookingId,
    /// Whose event.
    pub subject: Subject,
    /// Public name of the event.
    pub event_type: String,
    /// Where it stands.
    pub phase: Phase,
    /// Names the attempt that is wanted: one more with every attempt that is asked for.
    pub turn: u32,
    /// Attempts that failed since the first or since the redelivery was asked for.
    pub failures: u32,
    /// From when the time until giving up runs.
    pub since: Timestamp,
    /// When the wanted attempt is due.
    pub next_at: Option<Timestamp>,
    /// The newest attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Which event of which object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Kind of the object.
    pub kind: String,
    /// The object.
    pub id: Uuid,
    /// Its version after the event.
    pub seq: u64,
}

/// Where a delivery stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Others of the endpoint, or earlier events of its object, have their first attempt before it.
    Queued,
    /// Its first attempt is due or runs.
    Pending,
    /// An attempt failed or a redelivery was asked for; the next attempt has its time.
    Retrying,
    /// The endpoint took it.
    Delivered,
    /// Given up.
    Failed {
        /// Reason code.
        reason: String,
    },
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// The endpoint's HTTP status, when it answered.
    pub status: Option<u16>,
    /// Reason code of a failure.
    pub reason: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Facts of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// An event happened that the endpoint wants.
    DeliveryWanted {
        /// Where to.
        endpoint: EndpointId,
        /// The booking.
        booking: BookingId,
        /// Whose event.
        subject: Subject,
        /// Public name of the event.
        event_type: String,
        /// Whether others come first.
        queued: bool,
    },
    /// Nothing comes before it any more.
    TurnCame,
    /// The endpoint took it.
    Delivered {
        /// Of which attempt.
        turn: u32,
        /// HTTP status.
        status: u16,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    },
    /// The endpoint did not take it.
    AttemptFailed {
        /// Of which attempt.
        turn: u32,
        /// HTTP status, when there was an answer.
        status: Option<u16>,
        /// Reason code.
        reason: String,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// Wait so long before the next attempt, in milliseconds; none when there is no use in another one.
        pause_ms: Option<u64>,
    },
    /// There is nobody to deliver to any more.
    DeliveryAbandoned {
        /// Reason code.
        reason: String,
    },
    /// Somebody wants it delivered again.
    RedeliveryWanted,
}

/// What a delivery needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Send it once.
    Deliver {
        /// Which attempt.
        turn: u32,
    },
}

impl Machine for Delivery {
    const KIND: &'static str = "delivery";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::DeliveryWanted {
            endpoint,
            booking,
            subject,
            event_type,
            queued,
        } = event
        else {
            return Err(Refused::OUT_OF_ORDER);
        };
        let delivery = Self {
            endpoint,
            booking,
            subject,
            event_type,
            phase: Phase::Queued,
            turn: 0,
            failures: 0,
            since: now,
            next_at: None,
            attempts: Vec::new(),
        };
        Ok(if queued {
            Step::to(delivery)
        } else {
            delivery.attempt_at(Phase::Pending, now)
        })
    }

    fn on(mut self, event: Event, now: Timestamp) -> Outcome<Self> {
        Ok(match event {
            Event::DeliveryWanted { .. } => None,
            Event::TurnCame => (self.phase == Phase::Queued).then(|| {
                self.since = now;
                self.attempt_at(Phase::Pending, now)
            }),
            Event::Delivered {
                status,
                duration_ms,
                ..
            } => self.is_attempted().then(|| {
                self.remember(now, Some(status), None, duration_ms);
                self.ends(Phase::Delivered)
            }),
            Event::AttemptFailed {
                turn,
                status,
                reason,
                duration_ms,
                pause_ms,
            } => self.is_attempted().then(|| {
                self.remember(now, status, Some(reason.clone()), duration_ms);
                // While it ran, somebody asked for a redelivery: that attempt is due already.
                if turn != self.turn {
                    return Step::to(self);
                }
                self.failed(now, reason, pause_ms)
            }),
            Event::DeliveryAbandoned { reason } => {
                self.is_open().then(|| self.ends(Phase::Failed { reason }))
            }
            Event::RedeliveryWanted => match self.phase {
                Phase::Queued | Phase::Pending => None,
                Phase::Retrying | Phase::Delivered | Phase::Failed { .. } => {
                    self.since = now;
                    self.failures = 0;
                    Some(self.attempt_at(Phase::Retrying, now))
                }
            },
        })
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Deliver { turn } => self.is_attempted() && *turn == self.turn,
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Queued => "QUEUED",
            Phase::Pending => "PENDING",
            Phase::Retrying => "RETRYING",
            Phase::Delivered => "DELIVERED",
            Phase::Failed { .. } => "FAILED",
        }
    }
}

impl Delivery {
    /// Whether attempts go on.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Queued || self.is_attempted()
    }

    fn is_attempted(&self) -> bool {
        matches!(self.phase, Phase::Pending | Phase::Retrying)
    }

    fn attempt_at(mut self, phase: Phase, at: Timestamp) -> Step<Self> {
        self.turn += 1;
        self.phase = phase;
        self.next_at = Some(at);
        let turn = self.turn;
        Step::to(self).then_at(at, Effect::Deliver { turn })
    }

    fn ends(mut self, phase: Phase) -> Step<Self> {
        self.phase = phase;
        self.next_at = None;
        Step::to(self)
    }

    fn failed(mut self, now: Timestamp, reason: String, pause_ms: Option<u64>) -> Step<Self> {
        self.failures += 1;
        let give_up_at = self.since.plus_millis(GIVE_UP_MS);
        match pause_ms {
            Some(pause_ms) if now < give_up_at => {
                let pause_ms = i64::try_from(pause_ms).unwrap_or(i64::MAX);
                // The last attempt is made when the time is over, however long the pause would be.
                let at = now.plus_millis(pause_ms).min(give_up_at);
                self.attempt_at(Phase::Retrying, at)
            }
            _ => self.ends(Phase::Failed { reason }),
        }
    }

    fn remember(
        &mut self,
        at: Timestamp,
        status: Option<u16>,
        reason: Option<String>,
        duration_ms: u64,
    ) {
        if self.attempts.len() == ATTEMPTS_KEPT {
            self.attempts.remove(0);
        }
        self.attempts.push(Attempt {
            at,
            status,
            reason,
            duration_ms,
        });
    }
}

/// The pause after so many failures (from 0 before the first), in milliseconds. `chance` is any number; `asked_ms` is what the endpoint asked for.
pub fn pause_ms(failures: u32, chance: u64, asked_ms: Option<u64>) -> u64 {
    let place = usize::try_from(failures).unwrap_or(usize::MAX);
    let whole = PAUSES_MS[place.min(PAUSES_MS.len() - 1)];
    let own = whole / 2 + chance % (whole / 2 + 1);
    own.max(asked_ms.unwrap_or(0))
}

impl Charted for Delivery {
    fn chart_events() -> (Event, Vec<Event>) {
        let wanted = Event::DeliveryWanted {
            endpoint: EndpointId::from_uuid(Uuid::nil()),
            booking: BookingId::from_uuid(Uuid::nil()),
            subject: Subject {
                kind: "visit".into(),
                id: Uuid::nil(),
                seq: 1,
            },
            event_type: "visit.arrived".into(),
            queued: true,
        };
        let failed = |pause_ms| Event::AttemptFailed {
            turn: 1,
            status: None,
            reason: "R".into(),
            duration_ms: 1,
            pause_ms,
        };
        let later = vec![
            Event::TurnCame,
            failed(Some(1)),
            failed(None),
            Event::Delivered {
                turn: 1,
                status: 200,
                duration_ms: 1,
            },
            Event::DeliveryAbandoned { reason: "R".into() },
            Event::RedeliveryWanted,
        ];
        (wanted, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(queued: bool) -> Delivery {
        let (mut wanted, _) = Delivery::chart_events();
        if let Event::DeliveryWanted { queued: own, .. } = &mut wanted {
            *own = queued;
        }
        Delivery::begin(wanted, Timestamp::from_millis(0))
            .unwrap()
            .next
    }

    fn fails(delivery: Delivery, at: i64, pause_ms: Option<u64>) -> Step<Delivery> {
        let event = Event::AttemptFailed {
            turn: delivery.turn,
            status: Some(500),
            reason: "R".into(),
            duration_ms: 7,
            pause_ms,
        };
        let at = Timestamp::from_millis(at);
        delivery.on(event, at).unwrap().unwrap()
    }

    /// The machine played on its own clock: how often it is attempted until it is given up, and when.
    fn play(chance: u64, asked_ms: Option<u64>) -> (usize, i64) {
        let mut delivery = start(false);
        let (mut attempts, mut now) = (0, 0);
        while delivery.phase == Phase::Pending || delivery.phase == Phase::Retrying {
            now = delivery.next_at.unwrap().as_millis();
            attempts += 1;
            let pause = pause_ms(delivery.failures, chance, asked_ms);
            delivery = fails(delivery, now, Some(pause)).next;
        }
        (attempts, now)
    }

    #[test]
    fn attempts_end_with_a_last_one_after_a_day() {
        let fewest = play(u64::MAX - 1, None);
        let most = play(0, None);
        for (attempts, ended) in [fewest, most] {
            assert_eq!(ended, GIVE_UP_MS, "the last attempt is at the end");
            assert!((10..=20).contains(&attempts), "{attempts}");
        }
        // However short the endpoint asks for, it is not hammered; however long, a last attempt is made.
        assert_eq!(play(0, Some(1)), most);
        assert_eq!(play(0, Some(u64::MAX)), (2, GIVE_UP_MS));
    }

    #[test]
    fn a_redelivery_counts_anew_under_the_same_object() {
        let failed = fails(start(false), 5, None).next;
        assert_eq!(failed.state(), "FAILED");
        let again = failed
            .on(Event::RedeliveryWanted, Timestamp::from_millis(90))
            .unwrap();
        let again = again.unwrap();
        assert_eq!(again.effects[0].effect, Effect::Deliver { turn: 2 });
        assert_eq!((again.next.failures, again.next.attempts.len()), (0, 1));
        let late = fails(again.next, 90 + GIVE_UP_MS - 1, Some(60_000)).next;
        assert_eq!(late.state(), "RETRYING", "its own day");
    }

    #[test]
    fn what_an_older_attempt_tells_does_not_put_off_a_redelivery() {
        let retrying = fails(start(false), 5, Some(10)).next;
        let asked = retrying.on(Event::RedeliveryWanted, Timestamp::from_millis(6));
        let asked = asked.unwrap().unwrap().next;
        assert_eq!(asked.turn, 3);
        let late = Event::AttemptFailed {
            turn: 2,
            status: None,
            reason: "R".into(),
            duration_ms: 1,
            pause_ms: Some(60_000),
        };
        let told = asked.on(late, Timestamp::from_millis(7)).unwrap().unwrap();
        assert!(told.effects.is_empty());
        assert!(told.next.wanted(&Effect::Deliver { turn: 3 }));
    }

    #[test]
    fn a_queued_one_waits_for_its_turn_and_may_be_abandoned() {
        let queued = start(true);
        assert!(!queued.wanted(&Effect::Deliver { turn: 0 }));
        let now = Timestamp::from_millis(1);
        let abandoned = queued
            .clone()
            .on(Event::DeliveryAbandoned { reason: "R".into() }, now);
        assert_eq!(abandoned.unwrap().unwrap().next.state(), "FAILED");
        let turn = queued.on(Event::TurnCame, now).unwrap().unwrap();
        assert_eq!(turn.effects[0].effect, Effect::Deliver { turn: 1 });
    }
}
