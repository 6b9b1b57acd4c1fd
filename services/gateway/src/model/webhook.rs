//! Webhook endpoints and what came of each delivery.

use async_graphql::{Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::webhook::v1 as wire;

use super::time;
use crate::{
    error::fault,
    ids::{Kind, encode},
};

/// Where another system takes events.
pub struct WebhookEndpoint(pub wire::Endpoint);

/// Where another system takes events.
#[Object]
impl WebhookEndpoint {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::WebhookEndpoint, &self.0.id)
    }

    /// Where requests go.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// For people.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// The events that are wanted; empty means all. schema/webhook-events.md lists them.
    async fn event_types(&self) -> &[String] {
        &self.0.event_types
    }

    /// Whether anything is sent.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Why it was disabled otherwise than by an admin: GONE (it answered 410) or FAILING (for five days).
    async fn disabled_reason(&self) -> Option<&str> {
        text(&self.0.disabled_reason)
    }

    /// Since when every attempt has failed.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.failing_since)
    }

    /// Until when the secret before the newest one signs too.
    async fn overlap_until(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.overlap_until)
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.created_at)
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum WebhookDeliveryState {
    /// Others have their first attempt before it.
    Queued,
    /// Its first attempt is due.
    Pending,
    /// An attempt failed, or a redelivery was asked for; see `nextAttemptAt`.
    Retrying,
    /// The endpoint took it.
    Delivered,
    /// Given up; it can be redelivered.
    Failed,
}

impl From<WebhookDeliveryState> for wire::DeliveryState {
    fn from(state: WebhookDeliveryState) -> Self {
        match state {
            WebhookDeliveryState::Queued => Self::Queued,
            WebhookDeliveryState::Pending => Self::Pending,
            WebhookDeliveryState::Retrying => Self::Retrying,
            WebhookDeliveryState::Delivered => Self::Delivered,
            WebhookDeliveryState::Failed => Self::Failed,
        }
    }
}

/// One event on its way to one endpoint.
pub struct WebhookDelivery(pub wire::Delivery);

/// One event on its way to one endpoint.
#[Object]
impl WebhookDelivery {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::WebhookDelivery, &self.0.id)
    }

    /// What the endpoint sees as `webhook-id`: the same over all attempts.
    async fn webhook_id(&self) -> &str {
        &self.0.id
    }

    /// Where to.
    async fn endpoint_id(&self) -> ID {
        encode(Kind::WebhookEndpoint, &self.0.endpoint_id)
    }

    /// Where it stands.
    async fn state(&self) -> Result<WebhookDeliveryState> {
        use wire::DeliveryState as Wire;
        Ok(match self.0.state() {
            Wire::Queued => WebhookDeliveryState::Queued,
            Wire::Pending => WebhookDeliveryState::Pending,
            Wire::Retrying => WebhookDeliveryState::Retrying,
            Wire::Delivered => WebhookDeliveryState::Delivered,
            Wire::Failed => WebhookDeliveryState::Failed,
            Wire::Unspecified => return Err(fault(Error::internal("a delivery without state"))),
        })
    }

    /// Stable reason when FAILED.
    async fn reason(&self) -> Option<&str> {
        text(&self.0.reason)
    }

    /// Public name of the event.
    async fn event_type(&self) -> &str {
        &self.0.event_type
    }

    /// The booking that the event belongs to.
    async fn booking_id(&self) -> ID {
        encode(Kind::Booking, &self.0.booking_id)
    }

    /// booking, meeting, lobby, visit, permit, consent or recording.
    async fn object_kind(&self) -> &str {
        &self.0.object_kind
    }

    /// UUID of the object.
    async fn object_id(&self) -> &str {
        &self.0.object_id
    }

    /// Version of the object after the event.
    async fn seq(&self) -> u64 {
        self.0.seq
    }

    /// When the next attempt is due.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.next_attempt_at)
    }

    /// The newest 50 attempts, oldest first.
    #[graphql(complexity = "10 * child_complexity")]
    async fn attempts(&self) -> Vec<WebhookAttempt> {
        self.0.attempts.iter().map(WebhookAttempt::from).collect()
    }

    /// When the event was taken up.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.created_at)
    }
}

/// What came of one attempt.
#[derive(SimpleObject)]
pub struct WebhookAttempt {
    /// When it ended.
    at: Option<DateTime<Utc>>,
    /// The endpoint's HTTP status, when it answered.
    status_code: Option<u32>,
    /// Stable reason of a failure: ANSWERED_WITH_ERROR, REDIRECTED, THROTTLED, GONE, TIMED_OUT, UNREACHABLE, CONNECTION_LOST or ADDRESS_REFUSED.
    reason: Option<String>,
    /// How long it took, in milliseconds.
    duration_ms: u64,
}

impl From<&wire::Attempt> for WebhookAttempt {
    fn from(attempt: &wire::Attempt) -> Self {
        Self {
            at: time::from_wire(attempt.at),
            status_code: Some(attempt.status).filter(|status| *status != 0),
            reason: text(&attempt.reason).map(str::to_owned),
            duration_ms: attempt.duration_ms,
        }
    }
}

fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
