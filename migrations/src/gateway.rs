//! API keys, waiting pages and the clock's master row.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Index, Table},
};

use crate::spine::service;

service!(
    "gateway",
    up,
    Scoped = "m0002_api_key_scopes": scoped,
    Pages = "m0003_waiting_page": pages
);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("api_key")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                // SHA-256 of the key: the key itself is shown once.
                .col(ColumnDef::new("hash").blob().not_null().unique_key())
                .col(ColumnDef::new("name").string_len(200).not_null())
                // ADMIN, BOOKING_APP or HOST.
                .col(ColumnDef::new("role").string_len(32).not_null())
                .col(ColumnDef::new("host_id").uuid())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                .col(ColumnDef::new("revoked_at_ms").big_integer())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await
}

/// Keys that are narrowed, expire, and have a history.
async fn scoped(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for column in [
        // Names of scopes with commas between; null for all that the role may.
        ColumnDef::new("scopes").string_len(200).to_owned(),
        ColumnDef::new("expires_at_ms").big_integer().to_owned(),
        // Coarse: a request writes nothing most of the time.
        ColumnDef::new("last_used_at_ms").big_integer().to_owned(),
        ColumnDef::new("created_by").string_len(100).to_owned(),
        ColumnDef::new("revoked_by").string_len(100).to_owned(),
        // The end of the key's chain of events; 0 and null for keys that were made before there was one.
        ColumnDef::new("version")
            .big_integer()
            .not_null()
            .default(0)
            .to_owned(),
        ColumnDef::new("head_hash").blob().to_owned(),
    ] {
        // One at a time: SQLite adds no more.
        let mut table = Table::alter();
        table.table("api_key").add_column(column);
        manager.alter_table(table).await?;
    }
    Ok(())
}

/// How tenants want their waiting page: one row each.
async fn pages(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("waiting_page")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                // The tenant's, once more: the object's id in events.
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("version").big_integer().not_null())
                .col(ColumnDef::new("head_hash").blob().not_null())
                // JSON.
                .col(ColumnDef::new("settings").text().not_null())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await
}
