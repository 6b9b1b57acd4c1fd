//! Time that bookings take of a host, buffers included. The guard of I1.

use convene_domain::{BookingId, HostId, Interval, TenantId, Timestamp, peak};
use convene_kit::{Error, Result, Writes};
use sea_orm::{ConnectionTrait, IntoActiveModel as _, QueryTrait as _, entity::prelude::*};

/// One booking's share of a host's time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "occupancy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub booking_id: Uuid,
    pub host_id: Uuid,
    pub start_ms: i64,
    pub end_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes the time for a booking with the writes that follow, or refuses with `SLOT_TAKEN`. The caller holds the host's lock.
pub async fn take<C: ConnectionTrait>(
    c: &C,
    writes: &mut Writes,
    tenant: TenantId,
    booking: BookingId,
    (host, capacity, wanted): (HostId, usize, Interval),
) -> Result<()> {
    let taken: Vec<Interval> = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::HostId.eq(host.as_uuid()))
        .filter(Column::EndMs.gt(wanted.start().as_millis()))
        .filter(Column::StartMs.lt(wanted.end().as_millis()))
        .all(c)
        .await?
        .into_iter()
        .filter_map(|row| {
            Interval::new(
                Timestamp::from_millis(row.start_ms),
                Timestamp::from_millis(row.end_ms),
            )
        })
        .collect();
    if peak(&wanted, &taken) >= capacity {
        return Err(Error::refused(
            "SLOT_TAKEN",
            "somebody else has this time already; choose another start",
        )
        .on_field("start"));
    }
    let row = Model {
        tenant_id: tenant.as_uuid(),
        booking_id: booking.as_uuid(),
        host_id: host.as_uuid(),
        start_ms: wanted.start().as_millis(),
        end_ms: wanted.end().as_millis(),
    };
    writes.add(&Entity::insert(row.into_active_model().reset_all()).into_query());
    Ok(())
}

/// Gives the time of a booking back.
pub async fn release<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    booking: BookingId,
) -> Result<()> {
    Entity::delete_by_id((tenant.as_uuid(), booking.as_uuid()))
        .exec(c)
        .await?;
    Ok(())
}
