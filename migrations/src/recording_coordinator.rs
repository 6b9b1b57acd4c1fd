//! Consents, recordings and artefacts.

use sea_orm_migration::{prelude::*, sea_query::ColumnDef};

use crate::spine::{index, machine_table, service};

service!("recording_coordinator", up);

async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            machine_table("consent")
                .col(ColumnDef::new("meeting_id").uuid().not_null())
                .to_owned(),
        )
        .await?;
    index(manager, "consent", &["tenant_id", "meeting_id"], false).await?;
    manager
        .create_table(
            machine_table("recording")
                .col(ColumnDef::new("booking_id").uuid().not_null())
                .col(ColumnDef::new("meeting_id").uuid().not_null())
                // Whose meeting it is, as the broker said at the start: who else may see and stop it.
                .col(ColumnDef::new("host_id").uuid().not_null())
                .col(ColumnDef::new("phase").string_len(32).not_null())
                .to_owned(),
        )
        .await?;
    index(manager, "recording", &["tenant_id", "booking_id"], false).await?;
    index(manager, "recording", &["tenant_id", "meeting_id"], false).await
}
