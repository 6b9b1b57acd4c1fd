//! Invited persons: personal data, apart from the machine and its events.

use std::fmt;

use convene_domain::{BookingId, TenantId};
use convene_kit::{Result, Writes};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, QueryOrder as _, QueryTrait as _,
    entity::prelude::*,
    sea_query::{Query, SelectStatement},
};

/// A guest of one booking.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "guest")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub booking_id: Uuid,
    /// Order on the booking.
    pub place: i32,
    pub name: String,
    pub email: String,
    /// Random; the booking's event holds a digest over salts and data.
    pub salt: Vec<u8>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guest({})", self.id)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The guests of a booking in their order.
pub async fn of_booking<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Vec<Model>> {
    of_bookings(c, tenant, [booking.as_uuid()]).await
}

/// The guests of several bookings, each booking's in their order.
pub async fn of_bookings<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    bookings: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>> {
    let guests = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::BookingId.is_in(bookings))
        .order_by_asc(Column::Place)
        .all(c)
        .await?;
    Ok(guests)
}

/// The ids of the bookings to which an address was invited.
pub fn bookings_of(tenant: TenantId, email: &str) -> SelectStatement {
    Query::select()
        .column(Column::BookingId)
        .from(Entity)
        .and_where(Column::TenantId.eq(tenant.as_uuid()))
        .and_where(Column::Email.eq(email))
        .to_owned()
}

/// Stores the guests of a new booking.
pub fn insert(writes: &mut Writes, guests: &[Model]) {
    let rows = guests
        .iter()
        .map(|guest| guest.clone().into_active_model().reset_all());
    writes.add(&Entity::insert_many(rows).into_query());
}
