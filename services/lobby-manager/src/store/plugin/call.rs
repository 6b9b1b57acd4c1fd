//! The journal of calls.

use convene_domain::{TenantId, VisitId};
use convene_kit::{Error, Result, Tx};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, QueryOrder as _, QuerySelect as _, entity::prelude::*,
};

/// A call.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_call")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub binding_id: Uuid,
    pub visit_id: Uuid,
    pub digest: String,
    pub shadow: bool,
    /// Whether anything was done because of it.
    pub acted: bool,
    pub at_ms: i64,
    pub verdict: String,
    pub subject: String,
    pub fuel: i64,
    pub duration_us: i64,
    /// JSON: all that a replay needs. May hold names.
    pub record: String,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({})", self.id)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}

/// A call of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: Uuid) -> Result<Model> {
    let row = Entity::find_by_id((tenant.as_uuid(), id)).one(c).await?;
    row.ok_or_else(|| Error::not_found("plugin call"))
}

/// The calls about a visit, oldest first.
pub async fn of_visit<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    visit: VisitId,
    first: u64,
) -> Result<Vec<Model>> {
    let calls = of(tenant).filter(Column::VisitId.eq(visit.as_uuid()));
    Ok(calls.order_by_asc(Column::Id).limit(first).all(c).await?)
}

/// The calls of a binding, newest first; without those of its shadow when told so.
pub async fn of_binding<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    binding: Uuid,
    shadows: bool,
    first: u64,
) -> Result<Vec<Model>> {
    let mut calls = of(tenant).filter(Column::BindingId.eq(binding));
    if !shadows {
        calls = calls.filter(Column::Shadow.eq(false));
    }
    Ok(calls.order_by_desc(Column::Id).limit(first).all(c).await?)
}

/// Keeps a call.
pub async fn insert(tx: &Tx, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
