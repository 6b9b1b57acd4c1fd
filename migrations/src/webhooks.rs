//! Endpoints, their secrets, and deliveries.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Table},
};

use crate::spine::{index, machine_table, service};

service!("webhooks", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("endpoint")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                // May hold secrets in its path and query: shown to admins only, never logged.
                .col(ColumnDef::new("url").string_len(2000).not_null())
                .col(ColumnDef::new("description").string_len(200).not_null())
                // JSON list of public names; empty for all.
                .col(ColumnDef::new("event_types").text().not_null())
                .col(ColumnDef::new("enabled").boolean().not_null())
                .col(ColumnDef::new("disabled_reason").string_len(100))
                .col(ColumnDef::new("failing_since_ms").big_integer())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                // Its deliveries may still name it.
                .col(ColumnDef::new("deleted_at_ms").big_integer())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("endpoint_secret")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("endpoint_id").uuid().not_null())
                .col(ColumnDef::new("key_id").string_len(32).not_null())
                .col(ColumnDef::new("sealed").blob().not_null())
                // Set when a newer one takes its place.
                .col(ColumnDef::new("expires_at_ms").big_integer())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "endpoint_secret",
        &["tenant_id", "endpoint_id"],
        false,
    )
    .await?;
    manager
        .create_table(
            machine_table("delivery")
                .col(ColumnDef::new("endpoint_id").uuid().not_null())
                .col(ColumnDef::new("object_id").uuid().not_null())
                .col(ColumnDef::new("seq").big_integer().not_null())
                .col(ColumnDef::new("phase").string_len(32).not_null())
                // The bytes that are sent, the same with every attempt.
                .col(ColumnDef::new("payload").text().not_null())
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "delivery",
        &["tenant_id", "endpoint_id", "phase", "created_at_ms"],
        false,
    )
    .await?;
    index(
        manager,
        "delivery",
        &["tenant_id", "endpoint_id", "object_id", "phase"],
        false,
    )
    .await?;
    index(manager, "delivery", &["tenant_id", "created_at_ms"], false).await
}
