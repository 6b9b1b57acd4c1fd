//! What one person decided about recording one meeting.

use serde::{Deserialize, Serialize};

use crate::{Audience, BookingId, Charted, Machine, MeetingId, Outcome, Refused, Step, Timestamp};

/// A line of the consent ledger; its history is its chain of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    /// The booking.
    pub booking: BookingId,
    /// The meeting.
    pub meeting: MeetingId,
    /// Who decided.
    pub audience: Audience,
    /// The decision in force.
    pub given: bool,
    /// Version of the text that was shown.
    pub text_version: String,
    /// BCP 47 tag of the text that was shown.
    pub locale: String,
    /// When the decision in force was made.
    pub decided_at: Timestamp,
}

/// Decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The person agreed.
    ConsentGiven {
        /// The booking.
        booking: BookingId,
        /// The meeting.
        meeting: MeetingId,
        /// Who.
        audience: Audience,
        /// Version of the text.
        text_version: String,
        /// BCP 47 tag.
        locale: String,
    },
    /// The person took it back.
    ConsentWithdrawn,
}

/// What a decision needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Tell the broker, whose door depends on it.
    TellBroker {
        /// The decision to tell.
        given: bool,
    },
}

impl Machine for Consent {
    const KIND: &'static str = "consent";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::ConsentGiven {
            booking,
            meeting,
            audience,
            text_version,
            locale,
        } = event
        else {
            return Err(NOTHING_GIVEN);
        };
        let consent = Self {
            booking,
            meeting,
            audience,
            given: true,
            text_version,
            locale,
            decided_at: now,
        };
        Ok(Step::to(consent).then(Effect::TellBroker { given: true }))
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        Ok(match event {
            Event::ConsentGiven {
                text_version,
                locale,
                ..
            } => (!self.given || self.text_version != text_version || self.locale != locale).then(
                || {
                    Step::to(Self {
                        given: true,
                        text_version,
                        locale,
                        decided_at: now,
                        ..self
                    })
                    .then(Effect::TellBroker { given: true })
                },
            ),
            Event::ConsentWithdrawn => self.given.then(|| {
                Step::to(Self {
                    given: false,
                    decided_at: now,
                    ..self
                })
                .then(Effect::TellBroker { given: false })
            }),
        })
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::TellBroker { given } => *given == self.given,
        }
    }

    fn state(&self) -> &'static str {
        if self.given { "GIVEN" } else { "WITHDRAWN" }
    }
}

const NOTHING_GIVEN: Refused = Refused::new(
    "CONSENT_UNKNOWN",
    "there is no consent of this person to withdraw",
);

impl Charted for Consent {
    fn chart_events() -> (Event, Vec<Event>) {
        let booking = BookingId::from_uuid(uuid::Uuid::nil());
        let given = Event::ConsentGiven {
            booking,
            meeting: booking.meeting(1),
            audience: Audience::Host(crate::HostId::from_uuid(uuid::Uuid::nil())),
            text_version: "1".into(),
            locale: "en".into(),
        };
        (given.clone(), vec![given, Event::ConsentWithdrawn])
    }
}
