//! Bookings.

use convene_domain::{
    BookingId, HostId, Machine as _, TenantId,
    booking::{Booking, Phase},
};
use convene_kit::{Result, Table};
use sea_orm::{ConnectionTrait, QueryOrder as _, QuerySelect as _, Value, entity::prelude::*};

/// A booking as lists read it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub state: String,
    pub created_at_ms: i64,
    pub service_id: Uuid,
    pub host_id: Uuid,
    pub phase: String,
    pub cancel_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The bookings' table.
pub struct Bookings;

impl Table for Bookings {
    type Machine = Booking;
    const NAME: &'static str = "booking";

    fn booking(_booking: &Booking, id: Uuid) -> BookingId {
        BookingId::from_uuid(id)
    }

    fn columns(booking: &Booking) -> Vec<(&'static str, Value)> {
        let reason = match &booking.phase {
            Phase::Cancelled { reason } => Some(reason.clone()),
            Phase::Confirmed | Phase::Completed => None,
        };
        vec![
            ("service_id", booking.terms.service.as_uuid().into()),
            ("host_id", booking.terms.host.as_uuid().into()),
            ("phase", booking.state().into()),
            ("cancel_reason", reason.into()),
        ]
    }
}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Booking> {
        Ok(serde_json::from_str(&self.state)?)
    }
}

/// The bookings of these ids that are the tenant's; a host's own only when `host` is given.
pub async fn of_ids<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    ids: impl IntoIterator<Item = BookingId>,
    host: Option<HostId>,
) -> Result<Vec<Model>> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.is_in(ids.into_iter().map(|id| id.as_uuid())));
    if let Some(host) = host {
        query = query.filter(Column::HostId.eq(host.as_uuid()));
    }
    Ok(query.all(c).await?)
}

/// Up to `limit` bookings after an id, in order of creation.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    host: Option<HostId>,
    after: Option<BookingId>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()));
    if let Some(host) = host {
        query = query.filter(Column::HostId.eq(host.as_uuid()));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}
