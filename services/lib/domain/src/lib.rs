//! The state machines of Convene. Everything here is pure: no clock, no randomness, no I/O, and no machine knows another.
//!
//! A machine takes an event that already is a fact ("the provider created the meeting"), decides whether it fits, and answers the next
//! state with the effects that the world now needs. The store of a service writes all of it in one transaction.

mod audience;
mod capacity;
mod chart;
mod id;
mod machine;
mod refusal;
mod time;

pub mod assignment;
pub mod availability;
pub mod booking;
pub mod call;
pub mod consent;
pub mod delivery;
pub mod leg;
pub mod lobby;
pub mod meeting;
pub mod participant;
pub mod permit;
pub mod policy;
pub mod recording;
pub mod run;
pub mod visit;

pub use audience::Audience;
pub use capacity::{Occupied, peak};
pub use chart::{Charted, chart};
pub use id::{
    BookingId, ConsentId, DeliveryId, EndpointId, EventId, GuestId, HoldId, HostId, LobbyId,
    MalformedId, MeetingId, ParticipantId, PermitId, RecordingId, RunId, ScheduleId, ServiceId,
    TenantId, VisitId,
};
pub use machine::{Due, Machine, NoEffect, Outcome, Step};
pub use refusal::Refused;
pub use time::{Interval, Timestamp};
