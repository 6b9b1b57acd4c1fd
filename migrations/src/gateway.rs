//! API keys and the clock's master row.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Index, Table},
};

use crate::spine::service;

service!("gateway", up);

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
