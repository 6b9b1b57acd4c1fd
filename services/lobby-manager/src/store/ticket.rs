//! Tickets: each opens one visit. Only their hashes are here.

use convene_domain::{BookingId, TenantId, Timestamp, VisitId};
use convene_kit::{Result, Tx};
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*, sea_query::Expr};

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub tenant_id: Uuid,
    pub visit_id: Uuid,
    pub booking_id: Uuid,
    pub expires_at_ms: i64,
    pub replaced: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Stores a new ticket; older ones of the same visit open nothing any more.
pub async fn replace(
    tx: &Tx,
    tenant: TenantId,
    visit: VisitId,
    booking: BookingId,
    hash: [u8; 32],
    expires_at: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Replaced, Expr::value(true))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::VisitId.eq(visit.as_uuid()))
        .exec(tx)
        .await?;
    Entity::insert(ActiveModel {
        hash: Set(hash.to_vec()),
        tenant_id: Set(tenant.as_uuid()),
        visit_id: Set(visit.as_uuid()),
        booking_id: Set(booking.as_uuid()),
        expires_at_ms: Set(expires_at.as_millis()),
        replaced: Set(false),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// The tickets of a booking open until another moment.
pub async fn prolong(
    tx: &Tx,
    tenant: TenantId,
    booking: BookingId,
    expires_at: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::ExpiresAtMs, Expr::value(expires_at.as_millis()))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::BookingId.eq(booking.as_uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

/// The ticket of a hash.
pub async fn find<C: ConnectionTrait>(c: &C, hash: [u8; 32]) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(hash.to_vec()).one(c).await?)
}
