//! Workflows, their versions, and which one runs.

use convene_domain::TenantId;
use convene_kit::{Error, Result, Tx};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, PaginatorTrait as _, QueryOrder as _, QuerySelect as _,
    entity::prelude::*,
};

/// Versions that people see.
const VERSIONS_SHOWN: u64 = 20;

/// A workflow: its newest version, and the one that runs.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub newest: i32,
    /// The version that starts runs; none while it is switched off.
    pub active: Option<i32>,
    /// JSON list of the services whose bookings it is for; empty for all.
    pub services: String,
    pub created_at_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The services whose bookings it is for; empty for all.
    pub fn services(&self) -> Result<Vec<Uuid>> {
        Ok(serde_json::from_str(&self.services)?)
    }
}

/// Versions never change.
pub mod version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "workflow_version")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub title: String,
        pub source: String,
        pub published_by: String,
        pub published_at_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()))
}

/// How many workflows the tenant has.
pub async fn count<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<u64> {
    Ok(of(tenant).count(c).await?)
}

/// A workflow by its name.
pub async fn find<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    name: &str,
) -> Result<Option<Model>> {
    let key = (tenant.as_uuid(), name.to_owned());
    Ok(Entity::find_by_id(key).one(c).await?)
}

/// [`find`], with `NOT_FOUND`.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, name: &str) -> Result<Model> {
    let found = find(c, tenant, name).await?;
    found.ok_or_else(|| Error::not_found("workflow"))
}

/// Those that start runs.
pub async fn active<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<Vec<Model>> {
    let active = of(tenant).filter(Column::Active.is_not_null());
    Ok(active.order_by_asc(Column::Name).all(c).await?)
}

/// A workflow and its newest versions.
#[derive(Debug)]
pub struct ViewedWorkflow {
    pub row: Model,
    pub versions: Vec<version::Model>,
}

/// A workflow as people see it, with `NOT_FOUND`.
pub async fn view<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    name: &str,
) -> Result<ViewedWorkflow> {
    Ok(ViewedWorkflow {
        row: get(c, tenant, name).await?,
        versions: versions(c, tenant, name).await?,
    })
}

/// All workflows of the tenant as people see them.
pub async fn view_all<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<Vec<ViewedWorkflow>> {
    let mut views = Vec::new();
    for row in of(tenant).order_by_asc(Column::Name).all(c).await? {
        let versions = versions(c, tenant, &row.name).await?;
        views.push(ViewedWorkflow { row, versions });
    }
    Ok(views)
}

/// Writes a new workflow.
pub async fn insert(tx: &Tx, row: Model) -> Result<()> {
    let row = row.into_active_model();
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes a changed one.
pub async fn update(tx: &Tx, row: Model) -> Result<()> {
    let row = row.into_active_model().reset_all();
    Entity::update(row).exec(tx).await?;
    Ok(())
}

/// A version with its source.
pub async fn version<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    name: &str,
    version: i32,
) -> Result<version::Model> {
    let key = (tenant.as_uuid(), name.to_owned(), version);
    let found = version::Entity::find_by_id(key).one(c).await?;
    found.ok_or_else(|| Error::not_found("workflow version"))
}

/// The newest versions of a workflow, newest first.
async fn versions<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    name: &str,
) -> Result<Vec<version::Model>> {
    let versions = version::Entity::find()
        .filter(version::Column::TenantId.eq(tenant.as_uuid()))
        .filter(version::Column::Name.eq(name))
        .order_by_desc(version::Column::Version);
    Ok(versions.limit(VERSIONS_SHOWN).all(c).await?)
}

/// Writes a version.
pub async fn insert_version(tx: &Tx, row: version::Model) -> Result<()> {
    let row = row.into_active_model();
    version::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
