//! Sealed secrets of endpoints: the newest, and during a rotation the one before it.

use convene_domain::{EndpointId, TenantId, Timestamp};
use convene_kit::{
    Result, Tx,
    keys::{Sealed, Sealer},
};
use sea_orm::{
    Condition, ConnectionTrait, IntoActiveModel as _, QueryOrder as _, entity::prelude::*,
    sea_query::Expr,
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
