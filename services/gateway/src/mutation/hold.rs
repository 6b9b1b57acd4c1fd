//! Keeping slots for a while.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::scheduler::v1 as wire;

use super::{Call, booking::host_ids, payloads};
use crate::{
    ids::{self, Kind},
    model::{hold::Hold, time},
};

payloads! {
    HoldSlotPayload { hold: Hold },
    ReleaseHoldPayload { hold: Hold },
}

/// A slot to be kept.
#[derive(InputObject)]
struct HoldSlotInput {
    /// A fresh UUID for each intent; the same for its repeats, which answer the same hold.
    idempotency_key: String,
    /// What to keep it for.
    service_id: ID,
    /// With whom; left out, and without `hostIds`, whoever the service's assignment names.
    host_id: Option<ID>,
    /// With one of these, at most 100.
    #[graphql(default)]
    host_ids: Vec<ID>,
    /// With all of `hostIds`, the first of whom organises the meeting, not with one of them.
    #[graphql(default)]
    all_hosts: bool,
    /// What whoever takes it has to be able to; at most 16.
    #[graphql(default)]
    skills: Vec<String>,
    /// From when.
    start: DateTime<Utc>,
    /// Until when: start plus one of the service's durations; its own when left out.
    end: Option<DateTime<Utc>>,
    /// How long it is kept, in milliseconds: 30 seconds to an hour; five minutes when left out.
    ttl_ms: Option<i64>,
}

/// A slot to be given back.
#[derive(InputObject)]
struct ReleaseHoldInput {
    /// As `holdSlot` answered.
    hold_token: String,
}

#[derive(Default)]
pub struct Holds;

#[Object]
impl Holds {
    /// Keeps a slot while somebody makes up their mind. Booking apps and admins.
    async fn hold_slot(&self, ctx: &Context<'_>, input: HoldSlotInput) -> Result<HoldSlotPayload> {
        let call = Call::new(ctx)?;
        let held = async {
            let ttl_ms = match input.ttl_ms {
                Some(0) => {
                    let message = "ttlMs is 30000 to 3600000; leave it out for five minutes";
                    return Err(Error::invalid("ttlMs", "OUT_OF_RANGE", message));
                }
                ttl_ms => ttl_ms.unwrap_or(0),
            };
            let message = wire::HoldSlotRequest {
                idempotency_key: input.idempotency_key,
                service_id: ids::text(Kind::Service, "serviceId", &input.service_id)?,
                host_ids: host_ids(input.host_id.as_ref(), &input.host_ids)?,
                all_hosts: input.all_hosts,
                skills: input.skills,
                start: Some(time::to_wire(input.start)),
                end: input.end.map(time::to_wire),
                ttl_ms,
            };
            let request = call.request(message)?;
            let held = call.api.scheduler().hold_slot(request).await?;
            Ok(Hold(held.into_inner()))
        };
        HoldSlotPayload::of(held.await)
    }

    /// Gives a kept slot back before its time. Booking apps and admins.
    async fn release_hold(
        &self,
        ctx: &Context<'_>,
        input: ReleaseHoldInput,
    ) -> Result<ReleaseHoldPayload> {
        let call = Call::new(ctx)?;
        let released = async {
            let message = wire::ReleaseHoldRequest {
                token: input.hold_token,
            };
            let request = call.request(message)?;
            let released = call.api.scheduler().release_hold(request).await?;
            Ok(Hold(released.into_inner()))
        };
        ReleaseHoldPayload::of(released.await)
    }
}
