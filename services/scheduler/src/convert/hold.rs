//! Holds between proto and domain.

use convene_domain::Timestamp;
use convene_kit::{
    Error, Result,
    convert::{from_wire, id, required_time, to_wire},
    idempotency::Key,
};
use convene_proto::scheduler::v1 as wire;
use prost::Message as _;
use uuid::Uuid;

use super::availability::whom;
use crate::{service::HoldSlot, store};

pub fn hold(row: store::hold::Model) -> Result<wire::Hold> {
    let (hosts, interval) = (row.hosts()?, row.interval()?);
    Ok(wire::Hold {
        id: row.id.to_string(),
        token: row.token.simple().to_string(),
        service_id: row.service_id.to_string(),
        host_ids: hosts.iter().map(ToString::to_string).collect(),
        start: Some(to_wire(interval.start())),
        end: Some(to_wire(interval.end())),
        expires_at: Some(to_wire(Timestamp::from_millis(row.expires_at_ms))),
        booking_id: row.booking_id.map(|id| id.to_string()).unwrap_or_default(),
    })
}

pub fn hold_slot(mut request: wire::HoldSlotRequest) -> Result<HoldSlot> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(HoldSlot {
        key: Key::new("HoldSlot", &key, &request.encode_to_vec())?,
        service: id("serviceId", &request.service_id)?,
        whom: whom(
            "hostId",
            &request.host_ids,
            request.all_hosts,
            request.skills,
        )?,
        start: required_time("start", request.start)?,
        end: request.end.map(from_wire),
        ttl_ms: Some(request.ttl_ms).filter(|ttl| *ttl != 0),
    })
}

/// The token of a hold as it was answered.
pub fn token(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| {
        let message = "holdToken is what holdSlot answered";
        Error::invalid("holdToken", "MALFORMED_TOKEN", message)
    })
}
