//! Uploaded modules. Whoever has a name and a version is published and never changes.

use convene_domain::TenantId;
use convene_kit::{Error, Result, Tx};
use sea_orm::{
    ConnectionTrait, FromQueryResult, IntoActiveModel as _, PaginatorTrait as _, QueryOrder as _,
    QuerySelect as _, entity::prelude::*, sea_query::Expr,
};

/// A module.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_module")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// SHA-256, in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub bytes: Vec<u8>,
    pub size_bytes: i64,
    pub uploaded_at_ms: i64,
    pub name: Option<String>,
    pub version: Option<String>,
    /// JSON lists.
    pub hooks: String,
    pub capabilities: String,
    pub published_at_ms: Option<i64>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Module({})", self.digest)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A published module without its bytes.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Published {
    pub digest: String,
    pub size_bytes: i64,
    pub name: String,
    pub version: String,
    pub hooks: String,
    pub capabilities: String,
    pub published_at_ms: i64,
}

fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}

fn one(tenant: TenantId, digest: &str) -> Select<Entity> {
    of(tenant).filter(Column::Digest.eq(digest))
}

/// The bytes of a module of the tenant.
pub async fn bytes<C: ConnectionTrait>(c: &C, tenant: TenantId, digest: &str) -> Result<Vec<u8>> {
    let bytes = one(tenant, digest).select_only().column(Column::Bytes);
    let bytes: Option<Vec<u8>> = bytes.into_tuple().one(c).await?;
    bytes.ok_or_else(|| Error::not_found("module"))
}

/// A published module of the tenant.
pub async fn published<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    digest: &str,
) -> Result<Option<Published>> {
    let row = without_bytes(one(tenant, digest).filter(Column::PublishedAtMs.is_not_null()));
    Ok(row.into_model().one(c).await?)
}

/// All published modules, newest first.
pub async fn all<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<Vec<Published>> {
    let rows = of(tenant)
        .filter(Column::PublishedAtMs.is_not_null())
        .order_by_desc(Column::PublishedAtMs)
        .order_by_asc(Column::Digest);
    Ok(without_bytes(rows).into_model().all(c).await?)
}

fn without_bytes(rows: Select<Entity>) -> Select<Entity> {
    rows.select_only().columns([
        Column::Digest,
        Column::SizeBytes,
        Column::Name,
        Column::Version,
        Column::Hooks,
        Column::Capabilities,
        Column::PublishedAtMs,
    ])
}

/// How many are published, and how many only uploaded.
pub async fn counts<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<(u64, u64)> {
    let published = of(tenant).filter(Column::PublishedAtMs.is_not_null());
    let uploaded = of(tenant).filter(Column::PublishedAtMs.is_null());
    Ok((published.count(c).await?, uploaded.count(c).await?))
}

/// Whether the tenant has the module, published or not.
pub async fn is_there<C: ConnectionTrait>(c: &C, tenant: TenantId, digest: &str) -> Result<bool> {
    Ok(one(tenant, digest).count(c).await? > 0)
}

/// The digest of what is published under a name and version.
pub async fn named<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    name: &str,
    version: &str,
) -> Result<Option<String>> {
    let digest = of(tenant)
        .filter(Column::Name.eq(name))
        .filter(Column::Version.eq(version))
        .select_only()
        .column(Column::Digest);
    Ok(digest.into_tuple().one(c).await?)
}

/// Stores what was uploaded.
pub async fn insert(tx: &Tx, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Gives an uploaded module its name for ever.
pub async fn publish(tx: &Tx, tenant: TenantId, module: Published) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Name, Expr::value(module.name))
        .col_expr(Column::Version, Expr::value(module.version))
        .col_expr(Column::Hooks, Expr::value(module.hooks))
        .col_expr(Column::Capabilities, Expr::value(module.capabilities))
        .col_expr(Column::PublishedAtMs, Expr::value(module.published_at_ms))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Digest.eq(module.digest))
        .filter(Column::PublishedAtMs.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets the oldest upload that was not published.
pub async fn forget_oldest(tx: &Tx, tenant: TenantId) -> Result<()> {
    let oldest = of(tenant)
        .filter(Column::PublishedAtMs.is_null())
        .order_by_asc(Column::UploadedAtMs)
        .select_only()
        .column(Column::Digest);
    let Some(digest) = oldest.into_tuple::<String>().one(tx).await? else {
        return Ok(());
    };
    Entity::delete_many()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Digest.eq(digest))
        .exec(tx)
        .await?;
    Ok(())
}
