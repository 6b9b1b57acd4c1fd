//! What happened.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use convene_kit::digest;
use convene_proto::event::v1 as wire;

use super::time;

/// The audit trail of a booking over all services.
#[derive(SimpleObject)]
pub struct AuditTrail {
    /// Its events by time.
    pub events: Vec<AuditEvent>,
    /// Whether all of its events are here; a very long trail is cut off, read the rest with `convene audit`.
    pub complete: bool,
}

/// One fact of the trail. `hash` is SHA-256 over the parts that ARCHITECTURE.md names; `previousHash` is the hash before it in the object's chain.
#[derive(Clone, SimpleObject)]
pub struct AuditEvent {
    /// The service that wrote it.
    pub source: &'static str,
    /// Place in that service's log.
    pub position: u64,
    /// booking, meeting, lobby, visit, permit, consent or recording.
    pub object_kind: String,
    /// UUID of the object.
    pub object_id: String,
    /// Version of the object after it.
    pub seq: u64,
    /// Name of the fact.
    #[graphql(name = "type")]
    pub kind: String,
    /// Who caused it.
    pub actor: String,
    /// When, in business time.
    pub occurred_at: Option<DateTime<Utc>>,
    /// JSON of the fact; free of personal data and secrets.
    pub data: String,
    /// Hex.
    pub previous_hash: String,
    /// Hex.
    pub hash: String,
}

impl AuditEvent {
    /// From a service's feed.
    pub fn new(source: &'static str, event: wire::Event) -> Self {
        Self {
            source,
            position: event.position,
            object_kind: event.object_kind,
            object_id: event.object_id,
            seq: event.seq,
            kind: event.r#type,
            actor: event.actor,
            occurred_at: time::from_wire(event.occurred_at),
            data: event.data,
            previous_hash: digest::hex(&event.previous_hash),
            hash: digest::hex(&event.hash),
        }
    }
}
