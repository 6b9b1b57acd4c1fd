//! Hosts who take part in a booking that another one organises.

use convene_domain::{BookingId, HostId, TenantId};
use convene_kit::Writes;
use sea_orm::{
    ActiveValue::Set,
    QueryTrait as _,
    entity::prelude::*,
    sea_query::{Query, SelectStatement},
};

/// One host of one booking.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "co_host")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub host_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub booking_id: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The ids of the bookings in which a host takes part so.
pub fn bookings_of(tenant: TenantId, host: HostId) -> SelectStatement {
    Query::select()
        .column(Column::BookingId)
        .from(Entity)
        .and_where(Column::TenantId.eq(tenant.as_uuid()))
        .and_where(Column::HostId.eq(host.as_uuid()))
        .to_owned()
}

/// Stores who takes part in a new booking.
pub fn insert(writes: &mut Writes, tenant: TenantId, booking: BookingId, hosts: &[HostId]) {
    if hosts.is_empty() {
        return;
    }
    let rows = hosts.iter().map(|host| ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        host_id: Set(host.as_uuid()),
        booking_id: Set(booking.as_uuid()),
    });
    writes.add(&Entity::insert_many(rows).into_query());
}
