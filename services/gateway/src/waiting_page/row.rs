//! Settings as stored: one row a tenant.

use convene_domain::TenantId;
use convene_kit::{Result, Tx};
use sea_orm::{QuerySelect as _, entity::prelude::*};

/// A tenant's settings.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "waiting_page")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// The tenant's, once more: the object's id in events.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub settings: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Table, and kind of the object in events.
pub const TABLE: &str = "waiting_page";

/// The row, held until the change is over.
pub async fn for_change(tx: &Tx, tenant: TenantId) -> Result<Option<Model>> {
    let id = tenant.as_uuid();
    Ok(Entity::find_by_id((id, id))
        .lock_exclusive()
        .one(tx)
        .await?)
}
