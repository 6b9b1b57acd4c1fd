//! Lobbies, visits, tickets and permits.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Table},
};

use crate::spine::{index, machine_table, service};

service!("lobby_manager", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            machine_table("lobby")
                .col(ColumnDef::new("phase").string_len(32).not_null())
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            machine_table("visit")
                .col(ColumnDef::new("lobby_id").uuid().not_null())
                .col(ColumnDef::new("phase").string_len(32).not_null())
                .col(ColumnDef::new("arrived_at_ms").big_integer())
                // Rises with arrival: the place in the queue when two arrive in the same millisecond.
                .col(ColumnDef::new("arrival").big_integer())
                // Personal data, for host and guest only.
                .col(ColumnDef::new("display_name").string_len(200).not_null())
                .col(ColumnDef::new("decided_by").string_len(100))
                .col(ColumnDef::new("end_reason").string_len(200))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "visit",
        &["tenant_id", "lobby_id", "phase", "arrival"],
        false,
    )
    .await?;
    manager
        .create_table(
            Table::create()
                .table("ticket")
                // SHA-256 of the ticket: the ticket itself is with the guest only.
                .col(ColumnDef::new("hash").blob().not_null().primary_key())
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("visit_id").uuid().not_null())
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .col(ColumnDef::new("expires_at_ms").big_integer().not_null())
                .col(ColumnDef::new("replaced").boolean().not_null())
                .to_owned(),
        )
        .await?;
    index(manager, "ticket", &["tenant_id", "visit_id"], false).await?;
    manager
        .create_table(
            machine_table("permit")
                .col(ColumnDef::new("meeting_id").uuid().not_null())
                .col(ColumnDef::new("audience").string_len(64).not_null())
                .col(ColumnDef::new("phase").string_len(32).not_null())
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "permit",
        &["tenant_id", "meeting_id", "audience"],
        false,
    )
    .await
}
