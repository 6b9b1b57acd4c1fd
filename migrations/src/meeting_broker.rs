//! Meetings and their sealed join details.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Index, Table},
};

use crate::spine::{machine_table, service};

service!("meeting_broker", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            machine_table("meeting")
                .col(ColumnDef::new("phase").string_len(32).not_null())
                // Kept out of the machine, whose events are for ever.
                .col(ColumnDef::new("subject").string_len(200).not_null())
                .col(ColumnDef::new("organizer").string_len(200).not_null())
                .col(ColumnDef::new("host_id").uuid().not_null())
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("join_details")
                .col(ColumnDef::new("tenant_id").uuid().not_null())
                .col(ColumnDef::new("meeting_id").uuid().not_null())
                .col(ColumnDef::new("key_id").string_len(32).not_null())
                .col(ColumnDef::new("sealed").blob().not_null())
                .primary_key(Index::create().col("tenant_id").col("meeting_id"))
                .to_owned(),
        )
        .await
}
