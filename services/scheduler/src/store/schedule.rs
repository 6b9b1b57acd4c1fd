//! Opening hours that services and hosts share.

use convene_domain::{ScheduleId, TenantId, availability::Schedule};
use convene_kit::{Error, Result};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, QueryOrder as _, QuerySelect as _, entity::prelude::*,
    sea_query::Expr,
};

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    /// JSON.
    pub hours: String,
    pub created_at_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// When it is open.
    pub fn schedule(&self) -> Result<Schedule> {
        Ok(serde_json::from_str(&self.hours)?)
    }
}

/// A schedule of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: ScheduleId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("schedule"))
}

/// The schedules of these ids that are the tenant's, in no order. Nothing is asked for none.
pub async fn of_ids<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    ids: &[ScheduleId],
) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let schedules = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.is_in(ids.iter().map(ScheduleId::as_uuid)))
        .all(c)
        .await?;
    Ok(schedules)
}

/// Up to `limit` schedules after an id, in order of creation.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    after: Option<ScheduleId>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}

/// Stores a new schedule.
pub async fn insert<C: ConnectionTrait>(c: &C, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(c)
        .await?;
    Ok(())
}

/// Replaces name and hours.
pub async fn update<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    id: ScheduleId,
    (name, hours): (String, String),
) -> Result<Model> {
    Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::Hours, Expr::value(hours))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.eq(id.as_uuid()))
        .exec(c)
        .await?;
    get(c, tenant, id).await
}
