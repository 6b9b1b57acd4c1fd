//! The right of one audience to a meeting's join details (I3). A permit is born in the transaction of the decision behind it.

use serde::{Deserialize, Serialize};

use crate::{
    Audience, BookingId, Charted, HostId, Machine, MeetingId, NoEffect, Outcome, PermitId, Refused,
    Step, TenantId, Timestamp,
};

/// A permit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permit {
    /// The booking.
    pub booking: BookingId,
    /// The meeting whose door it opens.
    pub meeting: MeetingId,
    /// The only one who may use it.
    pub audience: Audience,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub phase: Phase,
}

/// What the lobby manager signs and the broker verifies: one audience's right to one meeting's join details, for a short time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermitClaims {
    /// The permit behind it.
    pub permit: PermitId,
    /// Whose.
    pub tenant: TenantId,
    /// The booking.
    pub booking: BookingId,
    /// The meeting.
    pub meeting: MeetingId,
    /// The only one who may show it.
    pub audience: Audience,
    /// From then on it opens nothing, in business time.
    pub expires_at: Timestamp,
}

/// Where a permit stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// May be used.
    Issued,
    /// The broker released join details on it; it may be shown again until it expires.
    Redeemed,
    /// Taken back.
    Revoked {
        /// Reason code.
        reason: String,
    },
}

/// Facts of a permit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A decision was made.
    PermitIssued {
        /// The booking.
        booking: BookingId,
        /// The meeting.
        meeting: MeetingId,
        /// For whom.
        audience: Audience,
        /// Until when.
        expires_at: Timestamp,
        /// Reason code of the decision; the event's actor made it.
        reason: String,
    },
    /// The booking's time was changed: the decision holds for the new one.
    PermitProlonged {
        /// Until when.
        expires_at: Timestamp,
    },
    /// The broker released join details on it.
    PermitRedeemed,
    /// Somebody took it back, or its lobby closed before it was used.
    PermitRevoked {
        /// Reason code.
        reason: String,
    },
}

impl Machine for Permit {
    const KIND: &'static str = "permit";
    type Event = Event;
    type Effect = NoEffect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::PermitIssued {
            booking,
            meeting,
            audience,
            expires_at,
            ..
        } = event
        else {
            return Err(Refused::OUT_OF_ORDER);
        };
        Ok(Step::to(Self {
            booking,
            meeting,
            audience,
            expires_at,
            phase: Phase::Issued,
        }))
    }

    fn on(self, event: Event, _now: Timestamp) -> Outcome<Self> {
        Ok(match (&self.phase, event) {
            (_, Event::PermitIssued { .. }) => return Err(Refused::OUT_OF_ORDER),
            (Phase::Revoked { .. }, Event::PermitProlonged { .. }) => None,
            (_, Event::PermitProlonged { expires_at }) => {
                (expires_at != self.expires_at).then(|| Step::to(Self { expires_at, ..self }))
            }
            (Phase::Issued, Event::PermitRedeemed) => Some(Step::to(Self {
                phase: Phase::Redeemed,
                ..self
            })),
            (_, Event::PermitRedeemed) => None,
            (Phase::Revoked { .. }, Event::PermitRevoked { .. }) => None,
            (_, Event::PermitRevoked { reason }) => Some(Step::to(Self {
                phase: Phase::Revoked { reason },
                ..self
            })),
        })
    }

    fn wanted(&self, effect: &NoEffect) -> bool {
        match *effect {}
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Issued => "ISSUED",
            Phase::Redeemed => "REDEEMED",
            Phase::Revoked { .. } => "REVOKED",
        }
    }
}

impl Permit {
    /// `Err` unless the permit opens the door at `now`.
    pub fn ensure_valid(&self, now: Timestamp) -> Result<(), Refused> {
        match self.phase {
            Phase::Revoked { .. } => Err(REVOKED),
            Phase::Issued | Phase::Redeemed if now >= self.expires_at => Err(EXPIRED),
            Phase::Issued | Phase::Redeemed => Ok(()),
        }
    }
}

const REVOKED: Refused = Refused::new("PERMIT_REVOKED", "the permit was taken back; ask the host");
const EXPIRED: Refused = Refused::new("PERMIT_EXPIRED", "the permit has expired; ask the host");

impl Charted for Permit {
    fn chart_events() -> (Event, Vec<Event>) {
        let booking = BookingId::from_uuid(uuid::Uuid::nil());
        let first = Event::PermitIssued {
            booking,
            meeting: booking.meeting(1),
            audience: Audience::Host(HostId::from_uuid(uuid::Uuid::nil())),
            expires_at: crate::chart::an_hour().end(),
            reason: "R".into(),
        };
        let later = vec![
            Event::PermitRedeemed,
            Event::PermitRevoked { reason: "R".into() },
        ];
        (first, later)
    }
}
