//! Between the wire and the domain.

use convene_domain::{
    Timestamp,
    delivery::{Attempt, Phase},
};
use convene_kit::{
    Result,
    convert::{id, to_wire},
    idempotency::Key,
};
use convene_proto::webhook::v1 as wire;
use prost::Message as _;
use secrecy::ExposeSecret as _;

use crate::{
    service::{EndpointView, NewEndpoint, Rotation, Update},
    store::delivery,
};

/// An endpoint to be made; its key is judged by the rest of the request.
pub fn new_endpoint(mut request: wire::CreateEndpointRequest) -> Result<NewEndpoint> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(NewEndpoint {
        key: Key::new("CreateEndpoint", &key, &request.encode_to_vec())?,
        url: request.url,
        description: request.description,
        event_types: request.event_types,
    })
}

/// A secret to be replaced.
pub fn rotation(mut request: wire::RotateSecretRequest) -> Result<Rotation> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(Rotation {
        key: Key::new("RotateSecret", &key, &request.encode_to_vec())?,
        id: id("id", &request.id)?,
        overlap_ms: request.overlap_ms,
    })
}

/// What becomes of an endpoint.
pub fn update(request: wire::UpdateEndpointRequest) -> Result<Update> {
    Ok(Update {
        id: id("id", &request.id)?,
        url: request.url,
        description: request.description,
        event_types: request.event_types.map(|types| types.names),
        enabled: request.enabled,
    })
}

/// An endpoint on the wire.
pub fn endpoint(view: &EndpointView) -> Result<wire::Endpoint> {
    let row = &view.row;
    let time = |millis| to_wire(Timestamp::from_millis(millis));
    Ok(wire::Endpoint {
        id: row.id.to_string(),
        url: row.url.clone(),
        description: row.description.clone(),
        event_types: row.event_types()?,
        enabled: row.enabled,
        disabled_reason: row.disabled_reason.clone().unwrap_or_default(),
        failing_since: row.failing_since_ms.map(time),
        overlap_until: view.overlap_until.map(to_wire),
        created_at: Some(time(row.created_at_ms)),
    })
}

/// An endpoint and its new secret on the wire.
pub fn with_secret(view: EndpointView) -> Result<wire::EndpointWithSecret> {
    let secret = view.secret.as_ref();
    Ok(wire::EndpointWithSecret {
        endpoint: Some(endpoint(&view)?),
        secret: secret.map_or_else(String::new, |secret| secret.expose_secret().to_owned()),
    })
}

/// A delivery on the wire.
pub fn delivery(row: &delivery::Model) -> Result<wire::Delivery> {
    let delivery = row.machine()?;
    let (state, reason) = match delivery.phase {
        Phase::Queued => (wire::DeliveryState::Queued, String::new()),
        Phase::Pending => (wire::DeliveryState::Pending, String::new()),
        Phase::Retrying => (wire::DeliveryState::Retrying, String::new()),
        Phase::Delivered => (wire::DeliveryState::Delivered, String::new()),
        Phase::Failed { reason } => (wire::DeliveryState::Failed, reason),
    };
    Ok(wire::Delivery {
        id: row.id.to_string(),
        endpoint_id: row.endpoint_id.to_string(),
        state: state.into(),
        reason,
        event_type: delivery.event_type,
        booking_id: delivery.booking.to_string(),
        object_kind: delivery.subject.kind,
        object_id: delivery.subject.id.to_string(),
        seq: delivery.subject.seq,
        next_attempt_at: delivery.next_at.map(to_wire),
        attempts: delivery.attempts.into_iter().map(attempt).collect(),
        created_at: Some(to_wire(Timestamp::from_millis(row.created_at_ms))),
    })
}

fn attempt(attempt: Attempt) -> wire::Attempt {
    wire::Attempt {
        at: Some(to_wire(attempt.at)),
        status: attempt.status.map_or(0, u32::from),
        reason: attempt.reason.unwrap_or_default(),
        duration_ms: attempt.duration_ms,
    }
}

/// The phase that a list is asked for.
pub fn phase(state: wire::DeliveryState) -> Option<&'static str> {
    match state {
        wire::DeliveryState::Unspecified => None,
        wire::DeliveryState::Queued => Some("QUEUED"),
        wire::DeliveryState::Pending => Some("PENDING"),
        wire::DeliveryState::Retrying => Some("RETRYING"),
        wire::DeliveryState::Delivered => Some("DELIVERED"),
        wire::DeliveryState::Failed => Some("FAILED"),
    }
}
