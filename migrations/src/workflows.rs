//! Workflows, their versions, runs, and what runs need to know of bookings.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Table},
};

use crate::spine::{index, machine_table, service};

service!("workflows", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("workflow")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("name").string_len(40).not_null())
                .col(ColumnDef::new("newest").integer().not_null())
                // The version that starts runs; null while it is switched off.
                .col(ColumnDef::new("active").integer())
                // JSON list of services; empty for all.
                .col(ColumnDef::new("services").text().not_null())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                .primary_key(Index::create().col("tenant_id").col("name"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("workflow_version")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("name").string_len(40).not_null())
                .col(ColumnDef::new("version").integer().not_null())
                .col(ColumnDef::new("title").string_len(200).not_null())
                // As it was written; never changed.
                .col(ColumnDef::new("source").text().not_null())
                .col(ColumnDef::new("published_by").string_len(200).not_null())
                .col(ColumnDef::new("published_at_ms").big_integer().not_null())
                .primary_key(Index::create().col("tenant_id").col("name").col("version"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("booking")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("service_id").uuid().not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("start_ms").big_integer().not_null())
                .col(ColumnDef::new("end_ms").big_integer().not_null())
                .col(ColumnDef::new("guests").integer().not_null())
                .col(ColumnDef::new("state").string_len(32).not_null())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            machine_table("run")
                .col(ColumnDef::new("workflow").string_len(40).not_null())
                .col(ColumnDef::new("workflow_version").integer().not_null())
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .col(ColumnDef::new("phase").string_len(32).not_null())
                .to_owned(),
        )
        .await?;
    index(manager, "run", &["tenant_id", "booking_id", "phase"], false).await?;
    index(manager, "run", &["tenant_id", "created_at_ms"], false).await?;
    index(
        manager,
        "run",
        &["tenant_id", "workflow", "created_at_ms"],
        false,
    )
    .await
}
