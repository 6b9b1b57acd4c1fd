//! Keys as stored.

use convene_domain::{HostId, TenantId};
use convene_kit::{Error, KeyScope, KeyScopes, Result};
use sea_orm::{Condition, ConnectionTrait, QueryOrder as _, QuerySelect as _, entity::prelude::*};

use super::KeyRole;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub hash: Vec<u8>,
    pub name: String,
    pub role: String,
    pub host_id: Option<Uuid>,
    pub created_at_ms: i64,
    pub revoked_at_ms: Option<i64>,
    pub scopes: Option<String>,
    pub expires_at_ms: Option<i64>,
    pub last_used_at_ms: Option<i64>,
    pub created_by: Option<String>,
    pub revoked_by: Option<String>,
    pub version: i64,
    pub head_hash: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Table, and kind of the objects in events.
pub const TABLE: &str = "api_key";

impl Model {
    /// Its role; a name that this version does not know is a fault.
    pub fn role(&self) -> Result<KeyRole> {
        KeyRole::of_name(&self.role).ok_or_else(|| unreadable("role"))
    }

    /// The host of a HOST key.
    pub fn host(&self) -> Option<HostId> {
        self.host_id.map(HostId::from_uuid)
    }

    /// To what it was narrowed. A scope that this version does not know is a fault: less is not more.
    pub fn narrowed(&self) -> Result<Option<KeyScopes>> {
        let Some(scopes) = &self.scopes else {
            return Ok(None);
        };
        let scopes = scopes.split(',').map(KeyScope::of_name);
        let scopes: Option<KeyScopes> = scopes.collect();
        scopes.map(Some).ok_or_else(|| unreadable("scopes"))
    }

    /// All that it may.
    pub fn scopes(&self) -> Result<KeyScopes> {
        Ok(self.narrowed()?.unwrap_or(self.role()?.scopes()))
    }

    /// Whether it opens anything at this time.
    pub fn holds(&self, now_ms: i64) -> bool {
        self.revoked_at_ms.is_none() && self.expires_at_ms.is_none_or(|end| now_ms < end)
    }

    /// Whether it can make other keys at this time.
    pub fn administers(&self, now_ms: i64) -> Result<bool> {
        let admin = self.role()? == KeyRole::Admin && self.scopes()?.allow(KeyScope::Admin);
        Ok(admin && self.holds(now_ms))
    }
}

fn unreadable(what: &str) -> Error {
    Error::internal(format!("a stored API key has an unknown {what}"))
}

/// How scopes are stored.
pub fn text(scopes: KeyScopes) -> String {
    let names: Vec<&str> = scopes.iter().map(KeyScope::name).collect();
    names.join(",")
}

/// A key of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: Uuid) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("API key"))
}

/// Up to `limit` keys after an id, in order of creation.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}

/// The key of a hash, whose ever it is.
pub async fn of_hash<C: ConnectionTrait>(c: &C, hash: &[u8]) -> Result<Option<Model>> {
    let found = Entity::find().filter(Column::Hash.eq(hash.to_vec()));
    Ok(found.one(c).await?)
}

/// The tenant's admin keys that were not revoked: locked until the transaction ends where changes run concurrently.
pub async fn lock_admins<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<Vec<Model>> {
    let admins = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Role.eq(KeyRole::Admin.name()))
        .filter(Column::RevokedAtMs.is_null())
        .order_by_asc(Column::Id)
        .lock_exclusive();
    Ok(admins.all(c).await?)
}

/// Remembers that a key was used, unless a use after `since_ms` is on record.
pub async fn used<C: ConnectionTrait>(c: &C, id: Uuid, now_ms: i64, since_ms: i64) -> Result<()> {
    let stale = Condition::any()
        .add(Column::LastUsedAtMs.is_null())
        .add(Column::LastUsedAtMs.lt(since_ms));
    Entity::update_many()
        .col_expr(Column::LastUsedAtMs, Expr::value(now_ms))
        .filter(Column::Id.eq(id))
        .filter(stale)
        .exec(c)
        .await?;
    Ok(())
}
