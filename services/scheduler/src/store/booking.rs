//! Bookings.

use convene_domain::{
    BookingId, HostId, Machine as _, ServiceId, TenantId,
    booking::{Booking, Phase},
};
use convene_kit::{Result, Table};
use sea_orm::{
    Condition, ConnectionTrait, QueryOrder as _, QuerySelect as _, Value, entity::prelude::*,
};

use super::{co_host, guest};

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
            Phase::Cancelled { reason } | Phase::Declined { reason } => Some(reason.clone()),
            Phase::Pending | Phase::Confirmed | Phase::Completed | Phase::NoShow => None,
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
        query = query.filter(with(tenant, host));
    }
    Ok(query.all(c).await?)
}

/// The bookings that a host organises or takes part in.
fn with(tenant: TenantId, host: HostId) -> Condition {
    Condition::any()
        .add(Column::HostId.eq(host.as_uuid()))
        .add(Column::Id.in_subquery(co_host::bookings_of(tenant, host)))
}

/// Whom a person met at the last booking of a service that was not called off.
pub async fn last_host<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    service: ServiceId,
    email: &str,
) -> Result<Option<HostId>> {
    let invited = guest::bookings_of(tenant, email);
    let last = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::ServiceId.eq(service.as_uuid()))
        .filter(Column::Phase.is_not_in(["CANCELLED", "DECLINED"]))
        .filter(Column::Id.in_subquery(invited))
        .order_by_desc(Column::Id)
        .one(c)
        .await?;
    Ok(last.map(|row| HostId::from_uuid(row.host_id)))
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
        query = query.filter(with(tenant, host));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}
