//! What can be booked.

use convene_domain::{ServiceId, TenantId};
use convene_kit::{Error, Result};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, QueryOrder as _, QuerySelect as _, entity::prelude::*,
};

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub duration_ms: i64,
    pub buffer_before_ms: i64,
    pub buffer_after_ms: i64,
    pub created_at_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A service of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: ServiceId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("service"))
}

/// Up to `limit` services after an id, in order of creation.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    after: Option<ServiceId>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}

/// Stores a new service.
pub async fn insert<C: ConnectionTrait>(c: &C, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(c)
        .await?;
    Ok(())
}
