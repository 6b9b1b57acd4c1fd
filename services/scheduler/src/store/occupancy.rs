//! Time that bookings take of hosts, buffers included. The guard of I1.

use std::collections::BTreeMap;

use convene_domain::{
    BookingId, HoldId, HostId, Interval, ServiceId, TenantId, Timestamp,
    availability::{Taken, Taker},
};
use convene_kit::{Result, Writes};
use sea_orm::{
    Condition, ConnectionTrait, IntoActiveModel as _, QueryTrait as _,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query},
};

/// One booking's share of a host's time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "occupancy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    /// A booking's id, or a hold's.
    pub booking_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub host_id: Uuid,
    pub service_id: Uuid,
    /// Start of the appointment; the other two have its buffers.
    pub starts_at_ms: i64,
    pub start_ms: i64,
    pub end_ms: i64,
    /// Of a hold; `None` of a booking.
    pub expires_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows that one change forgets at the most.
const FORGET_MAX: u64 = 100;

fn uuid(taker: Taker) -> Uuid {
    match taker {
        Taker::Booking(id) => id.as_uuid(),
        Taker::Hold(id) => id.as_uuid(),
    }
}

/// What is taken of these hosts within a span of time. What a booking decides by is asked for behind the hosts' locks.
pub async fn within<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    hosts: impl IntoIterator<Item = HostId>,
    (now, span): (Timestamp, Interval),
) -> Result<BTreeMap<HostId, Vec<Taken>>> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::HostId.is_in(hosts.into_iter().map(|host| host.as_uuid())))
        .filter(Column::EndMs.gt(span.start().as_millis()))
        .filter(Column::StartMs.lt(span.end().as_millis()))
        .filter(
            Condition::any()
                .add(Column::ExpiresAtMs.is_null())
                .add(Column::ExpiresAtMs.gt(now.as_millis())),
        )
        .all(c)
        .await?;
    let mut taken: BTreeMap<HostId, Vec<Taken>> = BTreeMap::new();
    for row in rows {
        let at = Timestamp::from_millis;
        let Some(occupies) = Interval::new(at(row.start_ms), at(row.end_ms)) else {
            continue;
        };
        let host = taken.entry(HostId::from_uuid(row.host_id)).or_default();
        host.push(Taken {
            by: match row.expires_at_ms {
                None => Taker::Booking(BookingId::from_uuid(row.booking_id)),
                Some(_) => Taker::Hold(HoldId::from_uuid(row.booking_id)),
            },
            service: ServiceId::from_uuid(row.service_id),
            starts: at(row.starts_at_ms),
            occupies,
        });
    }
    Ok(taken)
}

/// Takes the time with the writes that follow, a hold until it expires. The caller holds the host's lock and has judged the slot.
pub fn take(
    writes: &mut Writes,
    tenant: TenantId,
    host: HostId,
    taken: &Taken,
    until: Option<Timestamp>,
) {
    let row = Model {
        tenant_id: tenant.as_uuid(),
        booking_id: uuid(taken.by),
        host_id: host.as_uuid(),
        service_id: taken.service.as_uuid(),
        starts_at_ms: taken.starts.as_millis(),
        start_ms: taken.occupies.start().as_millis(),
        end_ms: taken.occupies.end().as_millis(),
        expires_at_ms: until.map(Timestamp::as_millis),
    };
    writes.add(&Entity::insert(row.into_active_model().reset_all()).into_query());
}

/// Forgets some of what expired.
pub fn forget_expired(writes: &mut Writes, tenant: TenantId, now: Timestamp) {
    let key = [Column::TenantId, Column::BookingId, Column::HostId];
    let expired = Query::select()
        .columns(key)
        .from(Entity)
        .and_where(Column::TenantId.eq(tenant.as_uuid()))
        .and_where(Column::ExpiresAtMs.lte(now.as_millis()))
        .limit(FORGET_MAX)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let key = Expr::tuple(key.map(Expr::col));
    writes.add(
        &Entity::delete_many()
            .filter(key.in_subquery(expired))
            .into_query(),
    );
}

/// Gives what somebody took back; answers whether there was something.
pub async fn release<C: ConnectionTrait>(c: &C, tenant: TenantId, taker: Taker) -> Result<bool> {
    let released = Entity::delete_many()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::BookingId.eq(uuid(taker)))
        .exec(c)
        .await?;
    Ok(released.rows_affected > 0)
}
