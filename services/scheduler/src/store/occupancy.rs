//! Time that bookings take of hosts, buffers included. The guard of I1.

use std::collections::BTreeMap;

use convene_domain::{
    BookingId, HostId, Interval, ServiceId, TenantId, Timestamp, availability::Taken,
};
use convene_kit::{Result, Writes};
use sea_orm::{ConnectionTrait, IntoActiveModel as _, QueryTrait as _, entity::prelude::*};

/// One booking's share of a host's time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "occupancy")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub booking_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub host_id: Uuid,
    pub service_id: Uuid,
    /// Start of the appointment; the other two have its buffers.
    pub starts_at_ms: i64,
    pub start_ms: i64,
    pub end_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What is taken of these hosts within a span of time. What a booking decides by is asked for behind the hosts' locks.
pub async fn within<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    hosts: impl IntoIterator<Item = HostId>,
    span: Interval,
) -> Result<BTreeMap<HostId, Vec<Taken>>> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::HostId.is_in(hosts.into_iter().map(|host| host.as_uuid())))
        .filter(Column::EndMs.gt(span.start().as_millis()))
        .filter(Column::StartMs.lt(span.end().as_millis()))
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
            by: BookingId::from_uuid(row.booking_id),
            service: ServiceId::from_uuid(row.service_id),
            starts: at(row.starts_at_ms),
            occupies,
        });
    }
    Ok(taken)
}

/// Takes the time with the writes that follow. The caller holds the host's lock and has judged the slot.
pub fn take(writes: &mut Writes, tenant: TenantId, host: HostId, taken: &Taken) {
    let row = Model {
        tenant_id: tenant.as_uuid(),
        booking_id: taken.by.as_uuid(),
        host_id: host.as_uuid(),
        service_id: taken.service.as_uuid(),
        starts_at_ms: taken.starts.as_millis(),
        start_ms: taken.occupies.start().as_millis(),
        end_ms: taken.occupies.end().as_millis(),
    };
    writes.add(&Entity::insert(row.into_active_model().reset_all()).into_query());
}

/// Gives the time of a booking back.
pub async fn release<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    booking: BookingId,
) -> Result<()> {
    Entity::delete_many()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::BookingId.eq(booking.as_uuid()))
        .exec(c)
        .await?;
    Ok(())
}
