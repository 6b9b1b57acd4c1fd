//! Slots that are kept for a while.

use async_graphql::{ID, Object};
use chrono::{DateTime, Utc};
use convene_proto::scheduler::v1 as wire;

use super::time;
use crate::ids::{Kind, encode};

/// A slot that is kept for somebody for a while; it is taken like a booked one.
pub struct Hold(pub wire::Hold);

/// A slot that is kept for somebody for a while; it is taken like a booked one.
#[Object]
impl Hold {
    /// Speaks for this hold: `bookMeeting` turns it into a booking, `releaseHold` gives the slot back.
    async fn token(&self) -> &str {
        &self.0.token
    }

    /// What is kept.
    async fn service_id(&self) -> ID {
        encode(Kind::Service, &self.0.service_id)
    }

    /// Whose time is kept; the first one organises the meeting.
    async fn host_ids(&self) -> Vec<ID> {
        let ids = self.0.host_ids.iter();
        ids.map(|id| encode(Kind::Host, id)).collect()
    }

    /// From.
    async fn start(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.start)
    }

    /// To.
    async fn end(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.end)
    }

    /// From then on it keeps nothing.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.expires_at)
    }

    /// What it became; null until then.
    async fn booking_id(&self) -> Option<ID> {
        let id = Some(&self.0.booking_id).filter(|id| !id.is_empty());
        id.map(|id| encode(Kind::Booking, id))
    }
}
