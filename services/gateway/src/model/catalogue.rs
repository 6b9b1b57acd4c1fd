//! Services and hosts.

use async_graphql::{ID, Object};
use chrono::{DateTime, Utc};
use convene_proto::scheduler::v1 as wire;

use super::{
    assignment::Assignment,
    availability::{HostAvailability, ServiceAvailability},
    policy::ServicePolicy,
    time,
};
use crate::ids::{Kind, encode};

/// What can be booked, for example "first visit, 30 min".
pub struct Service(pub wire::Service);

/// What can be booked, for example "first visit, 30 min".
#[Object]
impl Service {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Service, &self.0.id)
    }

    /// For people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How long an appointment lasts, in milliseconds.
    async fn duration_ms(&self) -> i64 {
        self.0.duration_ms
    }

    /// Time before the start that the host is taken too, in milliseconds.
    async fn buffer_before_ms(&self) -> i64 {
        self.0.buffer_before_ms
    }

    /// Time after the end, in milliseconds.
    async fn buffer_after_ms(&self) -> i64 {
        self.0.buffer_after_ms
    }

    /// What limits its slots.
    async fn availability(&self) -> ServiceAvailability {
        self.0.availability.clone().unwrap_or_default().into()
    }

    /// What people may do with its bookings, and until when.
    async fn policy(&self) -> ServicePolicy {
        self.0.policy.clone().unwrap_or_default().into()
    }

    /// Who takes its bookings; null when each wish names its hosts.
    async fn assignment(&self) -> Option<Assignment> {
        self.0.assignment.clone().map(Into::into)
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.created_at)
    }
}

/// Who holds meetings.
pub struct Host(pub wire::Host);

/// Who holds meetings.
#[Object]
impl Host {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Host, &self.0.id)
    }

    /// For people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The mailbox at the provider that organises the meetings; null for guests.
    async fn provider_user(&self) -> Option<&str> {
        Some(self.0.provider_user.as_str()).filter(|user| !user.is_empty())
    }

    /// Meetings at the same time; null for guests.
    async fn capacity(&self) -> Option<u32> {
        Some(self.0.capacity).filter(|capacity| *capacity > 0)
    }

    /// What limits its time; null for guests.
    async fn availability(&self) -> Option<HostAvailability> {
        self.0.availability.clone().map(Into::into)
    }

    /// When it was made; null for guests.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.created_at)
    }
}
