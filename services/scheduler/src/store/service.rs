//! What can be booked.

use convene_domain::{
    ServiceId, TenantId,
    assignment::Assignment,
    availability::{Rules, ServiceAvailability},
    policy::Policy,
};
use convene_kit::{Error, Result};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, QueryOrder as _, QuerySelect as _, entity::prelude::*,
    sea_query::Expr,
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
    /// JSON; `None` limits nothing.
    pub availability: Option<String>,
    /// JSON; `None` for no assignment: each wish names its hosts.
    pub assignment: Option<String>,
    /// JSON; `None` lets everything happen.
    pub policy: Option<String>,
}

impl Model {
    /// What limits its slots.
    pub fn availability(&self) -> Result<ServiceAvailability> {
        super::settings(self.availability.as_deref())
    }

    /// Who takes its bookings.
    pub fn assignment(&self) -> Result<Option<Assignment>> {
        let kept = self.assignment.as_deref();
        Ok(kept.map(serde_json::from_str).transpose()?)
    }

    /// What people may do with its bookings, and until when.
    pub fn policy(&self) -> Result<Policy> {
        super::settings(self.policy.as_deref())
    }

    /// What it asks of its slots, and when it is open.
    pub fn rules(&self) -> Result<(Rules, ServiceAvailability)> {
        let availability = self.availability()?;
        let buffers = (self.buffer_before_ms, self.buffer_after_ms);
        Ok((availability.rules(self.duration_ms, buffers), availability))
    }
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

/// A service whose settings are being changed.
pub async fn lock<C: ConnectionTrait>(c: &C, tenant: TenantId, id: ServiceId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .lock_exclusive()
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("service").on_field("serviceId"))
}

/// Replaces what limits its slots.
pub async fn set_availability<C: ConnectionTrait>(
    c: &C,
    row: &mut Model,
    availability: &ServiceAvailability,
) -> Result<()> {
    row.availability = Some(serde_json::to_string(availability)?);
    Entity::update_many()
        .col_expr(Column::Availability, Expr::value(row.availability.clone()))
        .filter(Column::TenantId.eq(row.tenant_id))
        .filter(Column::Id.eq(row.id))
        .exec(c)
        .await?;
    Ok(())
}

/// Replaces who takes its bookings.
pub async fn set_assignment<C: ConnectionTrait>(
    c: &C,
    row: &mut Model,
    assignment: Option<&Assignment>,
) -> Result<()> {
    row.assignment = assignment.map(serde_json::to_string).transpose()?;
    Entity::update_many()
        .col_expr(Column::Assignment, Expr::value(row.assignment.clone()))
        .filter(Column::TenantId.eq(row.tenant_id))
        .filter(Column::Id.eq(row.id))
        .exec(c)
        .await?;
    Ok(())
}

/// Replaces what people may do with its bookings.
pub async fn set_policy<C: ConnectionTrait>(c: &C, row: &mut Model, policy: &Policy) -> Result<()> {
    row.policy = Some(serde_json::to_string(policy)?);
    Entity::update_many()
        .col_expr(Column::Policy, Expr::value(row.policy.clone()))
        .filter(Column::TenantId.eq(row.tenant_id))
        .filter(Column::Id.eq(row.id))
        .exec(c)
        .await?;
    Ok(())
}

/// Stores a new service.
pub async fn insert<C: ConnectionTrait>(c: &C, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(c)
        .await?;
    Ok(())
}
