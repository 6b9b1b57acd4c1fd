//! What the role knows of bookings: enough to choose workflows and to compute times, no person.

use convene_domain::{BookingId, TenantId};
use convene_kit::{Result, Tx};
use sea_orm::{ConnectionTrait, IntoActiveModel as _, entity::prelude::*, sea_query::OnConflict};

/// Somebody of the organisation has to agree yet.
pub const PENDING: &str = "PENDING";
/// Nobody agreed.
pub const DECLINED: &str = "DECLINED";
/// Nobody came.
pub const NO_SHOW: &str = "NO_SHOW";
/// The slot is taken.
pub const BOOKED: &str = "BOOKED";
/// It was called off.
pub const CANCELLED: &str = "CANCELLED";
/// It is over.
pub const COMPLETED: &str = "COMPLETED";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub service_id: Uuid,
    pub host_id: Uuid,
    pub start_ms: i64,
    pub end_ms: i64,
    pub guests: i32,
    pub state: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A booking, when its first event has come.
pub async fn find<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    id: BookingId,
) -> Result<Option<Model>> {
    let key = (tenant.as_uuid(), id.as_uuid());
    Ok(Entity::find_by_id(key).one(c).await?)
}

/// Writes what is known now.
pub async fn keep(tx: &Tx, row: Model) -> Result<()> {
    let known = OnConflict::columns([Column::TenantId, Column::Id])
        .update_columns([
            Column::ServiceId,
            Column::HostId,
            Column::StartMs,
            Column::EndMs,
            Column::Guests,
            Column::State,
        ])
        .to_owned();
    Entity::insert(row.into_active_model())
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
