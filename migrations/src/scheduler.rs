//! Services, hosts, bookings and the time that bookings take.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Index, Table},
};

use crate::spine::{index, machine_table, service};

service!("scheduler", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("service")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("name").string_len(200).not_null())
                .col(ColumnDef::new("duration_ms").big_integer().not_null())
                .col(ColumnDef::new("buffer_before_ms").big_integer().not_null())
                .col(ColumnDef::new("buffer_after_ms").big_integer().not_null())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("host")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("name").string_len(200).not_null())
                .col(ColumnDef::new("provider_user").string_len(200).not_null())
                .col(ColumnDef::new("capacity").integer().not_null())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            machine_table("booking")
                .col(ColumnDef::new("service_id").uuid().not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("phase").string_len(32).not_null())
                .col(ColumnDef::new("cancel_reason").string_len(200))
                .to_owned(),
        )
        .await?;
    index(manager, "booking", &["tenant_id", "host_id", "id"], false).await?;
    // Personal data: apart from machine and events, so that it can be erased.
    manager
        .create_table(
            Table::create()
                .table("guest")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .col(ColumnDef::new("place").integer().not_null())
                .col(ColumnDef::new("name").string_len(200).not_null())
                .col(ColumnDef::new("email").string_len(320).not_null())
                .col(ColumnDef::new("salt").blob().not_null())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    index(manager, "guest", &["tenant_id", "booking_id"], false).await?;
    manager
        .create_table(
            Table::create()
                .table("occupancy")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("start_ms").big_integer().not_null())
                .col(ColumnDef::new("end_ms").big_integer().not_null())
                .primary_key(Index::create().col("tenant_id").col("booking_id"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "occupancy",
        &["tenant_id", "host_id", "end_ms"],
        false,
    )
    .await
}
