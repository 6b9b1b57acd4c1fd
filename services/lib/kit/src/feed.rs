//! Facts come up: each service serves its log, and the services above pull it with a durable cursor.

mod follow;
mod serve;

pub use follow::{Apply, Follower, follow};
pub use serve::serve;

use convene_domain::{BookingId, TenantId, Timestamp};
use convene_proto::event::v1 as wire;

use crate::{
    convert,
    error::{Error, Result},
    event::{self, Model},
};

/// A fact of another service, as read from its feed.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Place in that service's log.
    pub position: u64,
    /// Owner.
    pub tenant: TenantId,
    /// Booking it belongs to.
    pub booking: Option<BookingId>,
    /// Kind of the object.
    pub object_kind: String,
    /// The object.
    pub object: uuid::Uuid,
    /// Version of the object after it.
    pub seq: u64,
    /// When it became true, in business time.
    pub occurred_at: Timestamp,
    /// Name of the fact.
    pub kind: String,
    /// JSON of the fact.
    data: String,
    /// Trace that made it.
    pub traceparent: String,
}

impl Fact {
    /// The domain event.
    pub fn decode<M: convene_domain::Machine>(&self) -> Result<M::Event> {
        event::decode(&self.kind, &self.data)
    }

    fn from_wire(event: wire::Event) -> Result<Self> {
        Ok(Self {
            position: event.position,
            tenant: convert::id("tenant_id", &event.tenant_id)?,
            booking: match event.booking_id.as_str() {
                "" => None,
                id => Some(convert::id("booking_id", id)?),
            },
            object: uuid::Uuid::try_parse(&event.object_id)
                .map_err(|_| Error::internal("an event names no object"))?,
            object_kind: event.object_kind,
            seq: event.seq,
            occurred_at: convert::required_time("occurred_at", event.occurred_at)?,
            kind: event.r#type,
            data: event.data,
            traceparent: event.traceparent,
        })
    }
}

impl From<Model> for wire::Event {
    fn from(row: Model) -> Self {
        Self {
            position: row.position.unsigned_abs(),
            tenant_id: row.tenant_id.to_string(),
            booking_id: row.booking_id.map(|id| id.to_string()).unwrap_or_default(),
            object_kind: row.object_kind,
            object_id: row.object_id.to_string(),
            seq: row.seq.unsigned_abs(),
            r#type: row.kind,
            actor: row.actor,
            occurred_at: Some(convert::to_wire(Timestamp::from_millis(row.occurred_at_ms))),
            data: row.data,
            previous_hash: row.previous_hash,
            hash: row.hash,
            traceparent: row.traceparent,
        }
    }
}
