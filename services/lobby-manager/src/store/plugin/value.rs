//! What plugins keep. Written with the decision, in its transaction.

use convene_domain::TenantId;
use convene_kit::{Result, Tx};
use sea_orm::{
    ActiveValue::Set,
    Condition, ConnectionTrait, QuerySelect as _,
    entity::prelude::*,
    sea_query::{Expr, OnConflict},
};

/// A value.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_value")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// The plugin's name: its versions share what they keep.
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub value: Vec<u8>,
    pub revision: i64,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value of {}", self.plugin)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One value.
pub async fn get<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    plugin: &str,
    key: &str,
) -> Result<Option<Model>> {
    let id = (tenant.as_uuid(), plugin.to_owned(), key.to_owned());
    Ok(Entity::find_by_id(id).one(c).await?)
}

/// Bytes of all keys and values of a plugin.
pub async fn used<C: ConnectionTrait>(c: &C, tenant: TenantId, plugin: &str) -> Result<u64> {
    let sizes: Option<Option<i64>> = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Plugin.eq(plugin))
        .select_only()
        .expr(Expr::cust(
            "CAST(SUM(OCTET_LENGTH(\"key\") + OCTET_LENGTH(\"value\")) AS BIGINT)",
        ))
        .into_tuple()
        .one(c)
        .await?;
    Ok(sizes.flatten().unwrap_or(0).unsigned_abs())
}

/// Writes over a revision (0: there is none), or deletes; `false` when another revision is there.
pub async fn write(tx: &Tx, row: Model, over: i64, delete: bool) -> Result<bool> {
    let (tenant, plugin, key) = (row.tenant_id, row.plugin.clone(), row.key.clone());
    let here = move || {
        Condition::all()
            .add(Column::TenantId.eq(tenant))
            .add(Column::Plugin.eq(plugin.clone()))
            .add(Column::Key.eq(key.clone()))
            .add(Column::Revision.eq(over))
    };
    let rows = match (delete, over) {
        (true, 0) => 1,
        (true, _) => {
            Entity::delete_many()
                .filter(here())
                .exec(tx)
                .await?
                .rows_affected
        }
        (false, 0) => {
            let taken = OnConflict::columns([Column::TenantId, Column::Plugin, Column::Key])
                .do_nothing()
                .to_owned();
            Entity::insert(ActiveModel {
                tenant_id: Set(row.tenant_id),
                plugin: Set(row.plugin),
                key: Set(row.key),
                value: Set(row.value),
                revision: Set(row.revision),
            })
            .on_conflict(taken)
            .exec_without_returning(tx)
            .await?
        }
        (false, _) => {
            Entity::update_many()
                .col_expr(Column::Value, Expr::value(row.value))
                .col_expr(Column::Revision, Expr::value(row.revision))
                .filter(here())
                .exec(tx)
                .await?
                .rows_affected
        }
    };
    Ok(rows == 1)
}
