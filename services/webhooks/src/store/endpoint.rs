//! Where other systems take events.

use convene_domain::{EndpointId, TenantId};
use convene_kit::{Error, Result, Tx};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, PaginatorTrait as _, QueryOrder as _, QuerySelect as _,
    entity::prelude::*,
};

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub url: String,
    pub description: String,
    /// JSON list of public names; empty for all.
    pub event_types: String,
    pub enabled: bool,
    pub disabled_reason: Option<String>,
    pub failing_since_ms: Option<i64>,
    pub created_at_ms: i64,
    pub deleted_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Public names; empty for all.
    pub fn event_types(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_str(&self.event_types)?)
    }

    /// Whether an event of this name is wanted.
    pub fn wants(&self, name: &str) -> Result<bool> {
        let wanted = self.event_types()?;
        Ok(self.enabled && (wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)))
    }

    /// Stops sending; deliveries that are open find out with their next attempt.
    pub fn disable(&mut self, reason: Option<&str>) {
        self.enabled = false;
        self.disabled_reason = reason.map(str::to_owned);
    }
}

/// An endpoint of the tenant that was not deleted.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: EndpointId) -> Result<Model> {
    find(c, tenant, id)
        .await?
        .filter(|row| row.deleted_at_ms.is_none())
        .ok_or_else(|| Error::not_found("webhook endpoint"))
}

/// An endpoint of the tenant, deleted or not.
pub async fn find<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    id: EndpointId,
) -> Result<Option<Model>> {
    let row = Entity::find_by_id((tenant.as_uuid(), id.as_uuid()));
    Ok(row.one(c).await?)
}

/// [`get`], locked until the transaction ends where changes run concurrently. It also guards who of its deliveries comes next.
pub async fn lock(tx: &Tx, tenant: TenantId, id: EndpointId) -> Result<Model> {
    lock_any(tx, tenant, id)
        .await?
        .filter(|row| row.deleted_at_ms.is_none())
        .ok_or_else(|| Error::not_found("webhook endpoint"))
}

/// [`lock`] for an endpoint that may be deleted.
pub async fn lock_any(tx: &Tx, tenant: TenantId, id: EndpointId) -> Result<Option<Model>> {
    let row = Entity::find_by_id((tenant.as_uuid(), id.as_uuid())).lock_exclusive();
    Ok(row.one(tx).await?)
}

/// All endpoints of the tenant, oldest first.
pub async fn all<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<Vec<Model>> {
    Ok(living(tenant).order_by_asc(Column::Id).all(c).await?)
}

/// How many the tenant has.
pub async fn count<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<u64> {
    Ok(living(tenant).count(c).await?)
}

fn living(tenant: TenantId) -> Select<Entity> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::DeletedAtMs.is_null())
}

/// Stores a new endpoint.
pub async fn insert(tx: &Tx, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Stores what a locked row has become.
pub async fn update(tx: &Tx, row: Model) -> Result<()> {
    Entity::update(row.into_active_model().reset_all())
        .exec(tx)
        .await?;
    Ok(())
}
