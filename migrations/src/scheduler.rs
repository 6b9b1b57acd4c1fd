//! Services, hosts, bookings and the time that bookings take.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Index, Table},
};

use crate::spine::{index, machine_table, service};

service!(
    "scheduler", up,
    Available = "m0002_availability": availability,
    Assigned = "m0003_assignment": assignment,
    Held = "m0004_hold": hold,
    Governed = "m0005_policy": policy
);

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

/// What limits slots; and time that is taken by several hosts of one booking, with what caps count.
async fn availability(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for table in ["service", "host"] {
        let mut alter = Table::alter();
        // JSON; null for none: available at all times.
        alter
            .table(table)
            .add_column(ColumnDef::new("availability").text());
        manager.alter_table(alter).await?;
    }
    manager
        .create_table(
            Table::create()
                .table("schedule")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("name").string_len(200).not_null())
                // JSON.
                .col(ColumnDef::new("hours").text().not_null())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    // A primary key cannot be changed everywhere: the rows move.
    let database = manager.get_connection();
    database
        .execute_unprepared("ALTER TABLE occupancy RENAME TO occupancy_of_one_host")
        .await?;
    manager
        .create_table(
            Table::create()
                .table("occupancy")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("service_id").uuid().not_null())
                // Of the appointment; the other two have its buffers.
                .col(ColumnDef::new("starts_at_ms").big_integer().not_null())
                .col(ColumnDef::new("start_ms").big_integer().not_null())
                .col(ColumnDef::new("end_ms").big_integer().not_null())
                .primary_key(
                    Index::create()
                        .col("tenant_id")
                        .col("booking_id")
                        .col("host_id"),
                )
                .to_owned(),
        )
        .await?;
    database
        .execute_unprepared(
            "INSERT INTO occupancy (tenant_id, booking_id, host_id, service_id, starts_at_ms, start_ms, end_ms)
             SELECT o.tenant_id, o.booking_id, o.host_id, b.service_id, o.start_ms + s.buffer_before_ms, o.start_ms, o.end_ms
             FROM occupancy_of_one_host o
             JOIN booking b ON b.tenant_id = o.tenant_id AND b.id = o.booking_id
             JOIN service s ON s.tenant_id = b.tenant_id AND s.id = b.service_id",
        )
        .await?;
    database
        .execute_unprepared("DROP TABLE occupancy_of_one_host")
        .await?;
    index(
        manager,
        "occupancy",
        &["tenant_id", "host_id", "end_ms"],
        false,
    )
    .await
}

/// Who takes a booking when several could.
async fn assignment(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    // JSON; null for none: each wish names its hosts.
    alter
        .table("service")
        .add_column(ColumnDef::new("assignment").text());
    manager.alter_table(alter).await?;
    manager
        .create_table(
            Table::create()
                .table("host_load")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("service_id").uuid().not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("assigned").big_integer().not_null())
                .primary_key(
                    Index::create()
                        .col("tenant_id")
                        .col("service_id")
                        .col("host_id"),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("co_host")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .primary_key(
                    Index::create()
                        .col("tenant_id")
                        .col("host_id")
                        .col("booking_id"),
                )
                .to_owned(),
        )
        .await?;
    // Whom a guest met before.
    index(manager, "guest", &["tenant_id", "email"], false).await
}

/// Slots that are kept for somebody for a while.
async fn hold(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    // Of a hold; null of a booking.
    alter
        .table("occupancy")
        .add_column(ColumnDef::new("expires_at_ms").big_integer());
    manager.alter_table(alter).await?;
    index(manager, "occupancy", &["tenant_id", "expires_at_ms"], false).await?;
    manager
        .create_table(
            Table::create()
                .table("hold")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("id").uuid().not_null())
                .col(ColumnDef::new("token").uuid().not_null())
                .col(ColumnDef::new("principal").string_len(100).not_null())
                .col(ColumnDef::new("service_id").uuid().not_null())
                // JSON list of ids.
                .col(ColumnDef::new("hosts").text().not_null())
                .col(ColumnDef::new("start_ms").big_integer().not_null())
                .col(ColumnDef::new("end_ms").big_integer().not_null())
                .col(ColumnDef::new("created_at_ms").big_integer().not_null())
                .col(ColumnDef::new("expires_at_ms").big_integer().not_null())
                .col(ColumnDef::new("booking_id").uuid())
                .primary_key(Index::create().col("tenant_id").col("id"))
                .to_owned(),
        )
        .await?;
    index(manager, "hold", &["tenant_id", "token"], true).await?;
    index(manager, "hold", &["tenant_id", "expires_at_ms"], false).await
}

/// What people may do with bookings, and until when.
async fn policy(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    // JSON; null lets everything happen.
    alter
        .table("service")
        .add_column(ColumnDef::new("policy").text());
    manager.alter_table(alter).await
}
