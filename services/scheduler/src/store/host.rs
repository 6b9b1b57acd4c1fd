//! Who holds meetings.

use std::collections::BTreeSet;

use convene_domain::{HostId, TenantId, availability::HostAvailability};
use convene_kit::{Error, Result};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, QueryOrder as _, QuerySelect as _, entity::prelude::*,
    sea_query::Expr,
};

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "host")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub provider_user: String,
    pub capacity: i32,
    pub created_at_ms: i64,
    /// JSON; `None` limits nothing.
    pub availability: Option<String>,
}

impl Model {
    /// What limits its time besides its capacity.
    pub fn availability(&self) -> Result<HostAvailability> {
        super::settings(self.availability.as_deref())
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A host of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: HostId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("host"))
}

/// Up to `limit` hosts after an id, in order of creation.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    after: Option<HostId>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}

/// The hosts of these ids that are the tenant's, in no order.
pub async fn of_ids<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    ids: &[HostId],
) -> Result<Vec<Model>> {
    let hosts = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.is_in(ids.iter().map(HostId::as_uuid)))
        .all(c)
        .await?;
    Ok(hosts)
}

/// Replaces what limits its time.
pub async fn set_availability<C: ConnectionTrait>(
    c: &C,
    row: &mut Model,
    availability: &HostAvailability,
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

/// Stores a new host.
pub async fn insert<C: ConnectionTrait>(c: &C, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(c)
        .await?;
    Ok(())
}

/// The hosts whose time may be given away, locked in one order so that changes wait for each other in a line. Refuses ids that name nobody.
pub async fn lock_all<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    ids: &BTreeSet<HostId>,
) -> Result<Vec<Model>> {
    let hosts = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.is_in(ids.iter().map(HostId::as_uuid)))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(c)
        .await?;
    match hosts.len() == ids.len() {
        true => Ok(hosts),
        false => Err(Error::not_found("host").on_field("hostId")),
    }
}

/// A host whose time is being given away: locked until the transaction ends where changes run concurrently (I1).
pub async fn lock<C: ConnectionTrait>(c: &C, tenant: TenantId, id: HostId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .lock_exclusive()
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("host").on_field("hostId"))
}

/// Whom hosts are at the provider, over all tenants, each once: what an examination of the provider looks at.
pub async fn provider_users<C: ConnectionTrait>(c: &C, limit: u64) -> Result<Vec<String>> {
    let users = Entity::find()
        .select_only()
        .column(Column::ProviderUser)
        .distinct()
        .order_by_asc(Column::ProviderUser)
        .limit(limit);
    Ok(users.into_tuple().all(c).await?)
}
