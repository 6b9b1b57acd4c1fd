//! Which plugin decides where.

use convene_domain::{HostId, LobbyId, TenantId};
use convene_kit::{Error, Result, Tx, event::Head};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, PaginatorTrait as _, QueryOrder as _, QuerySelect as _,
    entity::prelude::*,
};

/// A binding. Its chain in the log says who changed it and when.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_binding")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub hook: String,
    /// "TENANT", "HOST" or "LOBBY".
    pub scope: String,
    /// The host's or the lobby's id; the tenant's own for the whole tenant.
    pub scope_id: Uuid,
    /// JSON of what is asked.
    pub active: Option<String>,
    /// JSON of what was asked before.
    pub previous: Option<String>,
    /// JSON of what is asked beside.
    pub shadow: Option<String>,
    pub on_fault: String,
    pub enabled: bool,
    pub created_at_ms: i64,
    /// JSON: how active and shadow have done of late.
    pub breakers: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Kind of the object in the log; its table's name.
pub const KIND: &str = "plugin_binding";

impl Model {
    /// Where its chain stands.
    pub fn head(&self) -> Head {
        Head {
            version: self.version,
            hash: self.head_hash.clone(),
        }
    }
}

fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}

/// The binding that decides about arrivals in a lobby: the lobby's own before its host's before the tenant's.
pub async fn in_force<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    host: HostId,
    lobby: LobbyId,
) -> Result<Option<Model>> {
    let scopes = [lobby.as_uuid(), host.as_uuid(), tenant.as_uuid()];
    let rows = of(tenant)
        .filter(Column::Hook.eq("lobby"))
        .filter(Column::ScopeId.is_in(scopes))
        .filter(Column::Enabled.eq(true));
    let mut rows = rows.all(c).await?;
    rows.sort_by_key(|row| scopes.iter().position(|scope| *scope == row.scope_id));
    Ok(rows.into_iter().next())
}

/// The binding of a scope, locked until the transaction ends where changes run concurrently.
pub async fn lock_scope(tx: &Tx, tenant: TenantId, scope: Uuid) -> Result<Option<Model>> {
    let row = of(tenant)
        .filter(Column::Hook.eq("lobby"))
        .filter(Column::ScopeId.eq(scope))
        .lock_exclusive();
    Ok(row.one(tx).await?)
}

/// A binding of the tenant, locked likewise.
pub async fn lock(tx: &Tx, tenant: TenantId, id: Uuid) -> Result<Model> {
    let row = Entity::find_by_id((tenant.as_uuid(), id)).lock_exclusive();
    row.one(tx).await?.ok_or_else(not_there)
}

/// A binding of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: Uuid) -> Result<Model> {
    let row = Entity::find_by_id((tenant.as_uuid(), id)).one(c).await?;
    row.ok_or_else(not_there)
}

fn not_there() -> Error {
    Error::not_found("plugin binding")
}

/// All bindings of the tenant, oldest first.
pub async fn all<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<Vec<Model>> {
    Ok(of(tenant).order_by_asc(Column::Id).all(c).await?)
}

/// How many the tenant has.
pub async fn count<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<u64> {
    Ok(of(tenant).count(c).await?)
}

/// Stores a new binding.
pub async fn insert(tx: &Tx, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Stores what a locked binding has become.
pub async fn update(tx: &Tx, row: Model) -> Result<()> {
    Entity::update(row.into_active_model().reset_all())
        .exec(tx)
        .await?;
    Ok(())
}
