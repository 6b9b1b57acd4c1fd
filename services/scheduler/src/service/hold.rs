//! Keeping a slot while somebody makes up their mind. It is taken like a booked one, and free again when its time is over.

use std::collections::BTreeSet;

use convene_domain::{
    HostId, Interval, Refused, ServiceId, Timestamp,
    availability::{Taken, Taker},
};
use convene_kit::{
    Context, Error, KeyScope, Origin, Result, Tx, Writes, digest, idempotency::Key, ids, limits,
};
use uuid::Uuid;

use super::{
    Scheduler,
    assign::{Assigned, Whom, assign},
    book,
};
use crate::store::{self, hold, service};

/// How long a hold lasts, in milliseconds: at least, when nothing is asked, at most.
const TTL_MS: (i64, i64, i64) = (30_000, 5 * 60_000, 60 * 60_000);
/// Holds that one caller keeps at the same time.
const KEPT_MAX: u64 = 1_000;

/// A slot to be kept.
#[derive(Debug)]
pub struct HoldSlot {
    pub key: Key,
    pub service: ServiceId,
    pub whom: Whom,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub ttl_ms: Option<i64>,
}

const EXPIRED: Refused = Refused::new(
    "HOLD_EXPIRED",
    "the hold's time is over; hold the slot anew, if it is free still",
);
const USED: Refused = Refused::new(
    "HOLD_USED",
    "the hold has become a booking already; hold another slot",
);
pub const MISMATCH: Refused = Refused::new(
    "HOLD_MISMATCH",
    "the hold keeps another service or time, and says who takes it; send what it keeps, and no hosts",
);

impl Scheduler {
    pub async fn hold_slot(&self, context: &Context, wish: HoldSlot) -> Result<hold::Model> {
        context.caller.ensure_app_who(KeyScope::BookingsWrite)?;
        let origin = context.origin(&self.deps.clock);
        book::check_span(wish.start, wish.end, origin.now)?;
        let ttl_ms = wish.ttl_ms.unwrap_or(TTL_MS.1);
        if !(TTL_MS.0..=TTL_MS.2).contains(&ttl_ms) {
            let message = format!("ttlMs is {} to {} milliseconds", TTL_MS.0, TTL_MS.2);
            return Err(Error::invalid("ttlMs", "OUT_OF_RANGE", message));
        }
        self.deps
            .db
            .write(move |tx| Box::pin(async move { keep(tx, &origin, wish, ttl_ms).await }))
            .await
    }

    /// Gives a slot back before its time.
    pub async fn release_hold(&self, context: &Context, token: Uuid) -> Result<hold::Model> {
        context.caller.ensure_app_who(KeyScope::BookingsWrite)?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut row = hold::lock(tx, origin.tenant, token).await?;
                    if row.booking_id.is_some() {
                        return Err(Error::from(USED).on_field("holdToken"));
                    }
                    let taker = Taker::Hold(row.id());
                    store::occupancy::release(tx, origin.tenant, taker).await?;
                    hold::end(tx, &row, None, origin.now).await?;
                    row.expires_at_ms = row.expires_at_ms.min(origin.now.as_millis());
                    Ok(row)
                })
            })
            .await
    }
}

async fn keep(tx: &Tx, origin: &Origin, wish: HoldSlot, ttl_ms: i64) -> Result<hold::Model> {
    let tenant = origin.tenant;
    if let Some(id) = wish.key.find(tx, origin).await? {
        return hold::get(tx, tenant, convene_domain::HoldId::from_uuid(id)).await;
    }
    let kept = hold::kept_by(tx, tenant, &origin.actor, origin.now).await?;
    if kept >= KEPT_MAX {
        return Err(Error::too_many(
            "TOO_MANY_HOLDS",
            format!("this credential keeps {KEPT_MAX} slots; release some, or let them expire"),
        ));
    }
    let service = service::get(tx, tenant, wish.service).await;
    let service = service.map_err(|error| error.on_field("serviceId"))?;
    let interval = book::slot(&service, wish.start, wish.end)?;
    let assigned = assign(tx, origin, &service, &wish.whom, interval, &[]).await?;
    let hosts: Vec<HostId> = assigned.hosts().collect();
    let row = hold::Model {
        tenant_id: tenant.as_uuid(),
        id: ids::new(),
        token: Uuid::from_bytes(digest::random()?),
        principal: origin.actor.clone(),
        service_id: service.id,
        hosts: serde_json::to_string(&hosts)?,
        start_ms: interval.start().as_millis(),
        end_ms: interval.end().as_millis(),
        created_at_ms: origin.now.as_millis(),
        expires_at_ms: origin.now.plus_millis(ttl_ms).as_millis(),
        booking_id: None,
    };
    let taken = Taken {
        by: Taker::Hold(row.id()),
        service: wish.service,
        starts: interval.start(),
        occupies: interval.widened(service.buffer_before_ms, service.buffer_after_ms),
    };
    let mut writes = Writes::of(tx);
    let until = Some(Timestamp::from_millis(row.expires_at_ms));
    store::occupancy::forget_expired(&mut writes, tenant, origin.now);
    for host in hosts {
        store::occupancy::take(&mut writes, tenant, host, &taken, until);
    }
    // As long as its idempotency key answers with it.
    let forget_before = origin.now.plus_millis(-limits::IDEMPOTENCY_MS);
    hold::insert(&mut writes, &row, forget_before);
    wish.key.remember_with(&mut writes, origin, row.id);
    writes.send(tx).await?;
    Ok(row)
}

/// Turns a hold into the place of a booking: judged once more, as of the moment at which it was kept, because holds of other clocks may have ended it.
pub async fn convert(
    tx: &Tx,
    origin: &Origin,
    service: &service::Model,
    (token, booking): (Uuid, Uuid),
    (start, end): (Timestamp, Option<Timestamp>),
) -> Result<(Interval, Assigned)> {
    let tenant = origin.tenant;
    let row = hold::lock(tx, tenant, token).await?;
    let refused = |refused: Refused| Error::from(refused).on_field("holdToken");
    if row.booking_id.is_some() {
        return Err(refused(USED));
    }
    if row.expires_at_ms <= origin.now.as_millis() {
        return Err(refused(EXPIRED));
    }
    let interval = row.interval()?;
    let same = row.service_id == service.id
        && interval.start() == start
        && end.is_none_or(|end| end == interval.end());
    if !same {
        return Err(refused(MISMATCH));
    }
    let hosts = row.hosts()?;
    let locked: BTreeSet<_> = hosts.iter().copied().collect();
    let locked = store::host::lock_all(tx, tenant, &locked).await?;
    let kept_at = Timestamp::from_millis(row.created_at_ms);
    let known = store::availability::load(tx, tenant, origin.now, service, &locked, interval);
    let mut known = known.await?.without(Taker::Hold(row.id()));
    // It was in time when it was kept, and as long as the service said then.
    known.now = kept_at;
    known.rules.durations_ms.push(interval.millis());
    for host in &hosts {
        let judged = known.may_take(interval, *host);
        judged.map_err(|refused| Error::from(refused).on_field("start"))?;
    }
    store::occupancy::release(tx, tenant, Taker::Hold(row.id())).await?;
    hold::end(tx, &row, Some(booking), origin.now).await?;
    Ok((interval, Assigned::of(service, hosts)?))
}
