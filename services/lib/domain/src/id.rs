//! Typed identifiers. They are made outside the domain (`kit::ids`) or derived from their parent here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is not a UUID where an id was wanted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id: expected a UUID such as 0193b0f2-7a3c-7000-8000-000000000000")]
pub struct MalformedId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name such an object.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                Uuid::try_parse(text).map(Self).map_err(|_| MalformedId)
            }
        }
    )*};
}

ids! {
    /// Who owns the data.
    TenantId,
    /// What can be booked.
    ServiceId,
    /// Who holds meetings.
    HostId,
    /// Opening hours.
    ScheduleId,
    /// An appointment.
    BookingId,
    /// A slot that is kept for somebody for a while.
    HoldId,
    /// An invited person, known within one booking.
    GuestId,
    /// The meeting of a booking.
    MeetingId,
    /// The waiting room of a booking.
    LobbyId,
    /// One guest's stay in one lobby.
    VisitId,
    /// The right of one audience to join details.
    PermitId,
    /// What one person decided about recording one meeting.
    ConsentId,
    /// A recording of a meeting.
    RecordingId,
    /// Where another system takes events.
    EndpointId,
    /// One event on its way to one endpoint; what the endpoint sees as the webhook's id.
    DeliveryId,
    /// One run of a workflow for a booking.
    RunId,
    /// One stay of one party in one call; who comes again is another.
    ParticipantId,
    /// Any object, where its kind stands beside it.
    EventId,
}

impl BookingId {
    /// The meeting of this booking: the same id for the same generation, so a repeated command names the same meeting (I2).
    pub fn meeting(&self, generation: u32) -> MeetingId {
        MeetingId(self.derive(&format!("meeting/{generation}")))
    }

    /// The lobby of this booking.
    pub fn lobby(&self) -> LobbyId {
        LobbyId(self.derive("lobby"))
    }

    /// The run of a workflow that one event of this booking's objects starts: one event, one run.
    pub fn run(&self, workflow: &str, object: Uuid, seq: u64) -> RunId {
        RunId(self.derive(&format!("run/{workflow}/{object}/{seq}")))
    }

    fn derive(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.0, name.as_bytes())
    }
}

impl LobbyId {
    /// The visit of a guest to this lobby: one guest, one visit.
    pub fn visit(&self, guest: GuestId) -> VisitId {
        VisitId(Uuid::new_v5(&self.0, guest.0.as_bytes()))
    }
}

impl EndpointId {
    /// The delivery of one event, named by its object and seq: the same over all attempts (I7).
    pub fn delivery(&self, object: Uuid, seq: u64) -> DeliveryId {
        DeliveryId(Uuid::new_v5(&self.0, format!("{object}/{seq}").as_bytes()))
    }
}

impl MeetingId {
    /// The consent of one audience to recording this meeting.
    pub fn consent(&self, audience: crate::Audience) -> ConsentId {
        ConsentId(Uuid::new_v5(&self.0, audience.to_string().as_bytes()))
    }

    /// The value under which the provider knows this meeting (I2): UUIDv5(tenant, meeting id). The meeting id already holds booking and generation.
    pub fn external_key(&self, tenant: TenantId) -> Uuid {
        Uuid::new_v5(&tenant.0, self.0.as_bytes())
    }
}
