//! Sealed secrets of endpoints: the newest, and during a rotation the one before it.

use convene_domain::{EndpointId, TenantId, Timestamp};
use convene_kit::{
    Result, Tx,
    keys::{Sealed, Sealer},
};
use sea_orm::{
    Condition, ConnectionTrait, IntoActiveModel as _, PaginatorTrait as _, QueryOrder as _,
    QuerySelect as _, entity::prelude::*, sea_query::Expr,
};

/// A secret under a key that only this role has.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint_secret")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub endpoint_id: Uuid,
    pub key_id: String,
    pub sealed: Vec<u8>,
    /// Set when a newer one took its place.
    pub expires_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new secret, sealed for its row.
    pub fn seal(
        sealer: &Sealer,
        tenant: TenantId,
        endpoint: EndpointId,
        id: Uuid,
        secret: &[u8],
    ) -> Result<Self> {
        let tenant = tenant.as_uuid();
        let sealed = sealer.seal(secret, &[tenant.as_bytes(), id.as_bytes()])?;
        Ok(Self {
            tenant_id: tenant,
            id,
            endpoint_id: endpoint.as_uuid(),
            key_id: sealed.key_id,
            sealed: sealed.bytes,
            expires_at_ms: None,
        })
    }

    /// The same secret under the current key.
    pub fn again(&self, sealer: &Sealer) -> Result<Sealed> {
        let secret = self.open(sealer)?;
        sealer.seal(&secret, &[self.tenant_id.as_bytes(), self.id.as_bytes()])
    }

    /// The secret itself.
    pub fn open(&self, sealer: &Sealer) -> Result<Vec<u8>> {
        let sealed = Sealed {
            key_id: self.key_id.clone(),
            bytes: self.sealed.clone(),
        };
        sealer.open(&sealed, &[self.tenant_id.as_bytes(), self.id.as_bytes()])
    }
}

/// A secret by its id, unless it was erased.
pub async fn find<C: ConnectionTrait>(c: &C, tenant: TenantId, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id((tenant.as_uuid(), id)).one(c).await?)
}

/// Secrets that sign now, the newest first.
pub async fn active<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    endpoint: EndpointId,
    now: Timestamp,
) -> Result<Vec<Model>> {
    let alive = Condition::any()
        .add(Column::ExpiresAtMs.is_null())
        .add(Column::ExpiresAtMs.gt(now.as_millis()));
    let rows = of(tenant, endpoint).filter(alive);
    Ok(rows.order_by_desc(Column::Id).all(c).await?)
}

/// Until when the secret before the newest one signs too.
pub async fn overlap_until<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    endpoint: EndpointId,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let active = active(c, tenant, endpoint, now).await?;
    let ends = active.iter().filter_map(|row| row.expires_at_ms);
    Ok(ends.max().map(Timestamp::from_millis))
}

fn of(tenant: TenantId, endpoint: EndpointId) -> Select<Entity> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::EndpointId.eq(endpoint.as_uuid()))
}

/// Secrets of all tenants that are not sealed with `current`, in the order of their ids, after one of them.
pub async fn sealed_otherwise<C: ConnectionTrait>(
    c: &C,
    current: &str,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::KeyId.ne(current));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    Ok(query.order_by_asc(Column::Id).limit(limit).all(c).await?)
}

/// Puts a secret under another key, unless it was erased since it was read.
pub async fn replace(tx: &Tx, row: Model, sealed: Sealed) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::KeyId, Expr::value(sealed.key_id))
        .col_expr(Column::Sealed, Expr::value(sealed.bytes))
        .filter(Column::TenantId.eq(row.tenant_id))
        .filter(Column::Id.eq(row.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many secrets a key still seals.
pub async fn sealed_with<C: ConnectionTrait>(c: &C, key_id: &str) -> Result<u64> {
    let rows = Entity::find().filter(Column::KeyId.eq(key_id));
    Ok(rows.count(c).await?)
}

/// Stores a new secret.
pub async fn insert(tx: &Tx, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Gives the secrets of an endpoint an end, and erases those whose end has come; `until` now erases all.
pub async fn retire(
    tx: &Tx,
    tenant: TenantId,
    endpoint: EndpointId,
    now: Timestamp,
    until: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::ExpiresAtMs, Expr::value(Some(until.as_millis())))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::EndpointId.eq(endpoint.as_uuid()))
        .filter(Column::ExpiresAtMs.is_null())
        .exec(tx)
        .await?;
    let mut erased = Entity::delete_many()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::EndpointId.eq(endpoint.as_uuid()));
    if until > now {
        erased = erased.filter(Column::ExpiresAtMs.lte(now.as_millis()));
    }
    erased.exec(tx).await?;
    Ok(())
}
