//! What all services have in common.

use sea_orm_migration::{
    prelude::*,
    sea_orm::DbBackend,
    sea_query::{ColumnDef, Index, Table, TableCreateStatement},
};

/// A table with the columns of a machine: `tenant_id, id, version, head_hash, state, created_at_ms`.
pub fn machine_table(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(Alias::new(name))
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("id").uuid().not_null())
        .col(ColumnDef::new("version").big_integer().not_null())
        .col(ColumnDef::new("head_hash").blob().not_null())
        .col(ColumnDef::new("state").text().not_null())
        .col(ColumnDef::new("created_at_ms").big_integer().not_null())
        .primary_key(Index::create().col("tenant_id").col("id"))
        .to_owned()
}

/// An index over a machine's table that begins with the tenant.
pub async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut index = Index::create()
        .name(format!("{table}_by_{}", columns.join("_")))
        .table(Alias::new(table))
        .to_owned();
    for column in columns {
        index.col(Alias::new(*column));
    }
    if unique {
        index.unique();
    }
    manager.create_index(index).await
}

/// The tables that the spine of every service needs.
pub async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    create_event(manager).await?;
    index(manager, "event", &["position"], true).await?;
    index(
        manager,
        "event",
        &["tenant_id", "booking_id", "position"],
        false,
    )
    .await?;
    manager.create_table(job()).await?;
    index(manager, "job", &["queue", "due_at_ms"], false).await?;
    index(manager, "job", &["object_id"], false).await?;
    manager.create_table(feed_cursor()).await?;
    manager.create_table(idempotency()).await?;
    index(
        manager,
        "idempotency",
        &["tenant_id", "expires_at_ms"],
        false,
    )
    .await?;
    manager.create_table(clock_offset()).await
}

/// On SQLite the one writer gives an event its position. On PostgreSQL a sequencer gives it after the commit, in the order of `inserted`.
async fn create_event(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut position = ColumnDef::new("position").big_integer().to_owned();
    if manager.get_database_backend() != DbBackend::Postgres {
        return manager.create_table(event(position.not_null())).await;
    }
    let mut table = event(&mut position);
    table.col(
        ColumnDef::new("inserted")
            .big_integer()
            .not_null()
            .auto_increment(),
    );
    manager.create_table(table).await?;
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE INDEX event_that_waits ON event (inserted) WHERE position IS NULL",
        )
        .await
        .map(drop)
}

fn event(position: &mut ColumnDef) -> TableCreateStatement {
    Table::create()
        .table("event")
        .col(position)
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("booking_id").uuid())
        .col(ColumnDef::new("object_kind").string_len(32).not_null())
        .col(ColumnDef::new("object_id").uuid().not_null())
        .col(ColumnDef::new("seq").big_integer().not_null())
        .col(ColumnDef::new("kind").string_len(64).not_null())
        .col(ColumnDef::new("actor").string_len(100).not_null())
        .col(ColumnDef::new("occurred_at_ms").big_integer().not_null())
        .col(ColumnDef::new("data").text().not_null())
        .col(ColumnDef::new("previous_hash").blob().not_null())
        .col(ColumnDef::new("hash").blob().not_null())
        .col(ColumnDef::new("traceparent").string_len(55).not_null())
        .primary_key(Index::create().col("tenant_id").col("object_id").col("seq"))
        .to_owned()
}

fn job() -> TableCreateStatement {
    Table::create()
        .table("job")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("queue").string_len(32).not_null())
        .col(ColumnDef::new("object_id").uuid().not_null())
        .col(ColumnDef::new("effect").text().not_null())
        .col(ColumnDef::new("due_at_ms").big_integer().not_null())
        .col(ColumnDef::new("retry_at_ms").big_integer().not_null())
        .col(ColumnDef::new("attempts").integer().not_null())
        .col(ColumnDef::new("lease_token").uuid())
        .col(ColumnDef::new("lease_until_ms").big_integer())
        .col(ColumnDef::new("dead").boolean().not_null())
        .col(ColumnDef::new("last_error").string_len(100))
        .col(ColumnDef::new("traceparent").string_len(55).not_null())
        .to_owned()
}

fn feed_cursor() -> TableCreateStatement {
    Table::create()
        .table("feed_cursor")
        .col(
            ColumnDef::new("source")
                .string_len(32)
                .not_null()
                .primary_key(),
        )
        .col(ColumnDef::new("position").big_integer().not_null())
        .to_owned()
}

fn idempotency() -> TableCreateStatement {
    Table::create()
        .table("idempotency")
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("principal").string_len(100).not_null())
        .col(ColumnDef::new("operation").string_len(32).not_null())
        .col(ColumnDef::new("key").string_len(200).not_null())
        .col(ColumnDef::new("body_hash").blob().not_null())
        .col(ColumnDef::new("object_id").uuid().not_null())
        .col(ColumnDef::new("expires_at_ms").big_integer().not_null())
        .primary_key(
            Index::create()
                .col("tenant_id")
                .col("principal")
                .col("operation")
                .col("key"),
        )
        .to_owned()
}

fn clock_offset() -> TableCreateStatement {
    Table::create()
        .table("clock_offset")
        .col(ColumnDef::new("id").integer().not_null().primary_key())
        .col(ColumnDef::new("offset_ms").big_integer().not_null())
        .col(ColumnDef::new("version").big_integer().not_null())
        .to_owned()
}

/// A migrator of a first migration, named `m0001_<service>`, and of later ones by their names.
macro_rules! service {
    ($name:literal, $up:path $(, $later:ident = $later_name:literal: $later_up:path)*) => {
        /// Brings this service's database up to date.
        #[derive(Debug)]
        pub struct Migrator;

        #[async_trait::async_trait]
        impl sea_orm_migration::MigratorTrait for Migrator {
            fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
                vec![Box::new(First) $(, Box::new($later))*]
            }
        }

        struct First;

        impl sea_orm_migration::MigrationName for First {
            fn name(&self) -> &str {
                concat!("m0001_", $name)
            }
        }

        #[async_trait::async_trait]
        impl sea_orm_migration::MigrationTrait for First {
            async fn up(
                &self,
                manager: &sea_orm_migration::SchemaManager,
            ) -> Result<(), sea_orm_migration::DbErr> {
                crate::spine::create(manager).await?;
                $up(manager).await
            }
        }

        $(
            struct $later;

            impl sea_orm_migration::MigrationName for $later {
                fn name(&self) -> &str {
                    $later_name
                }
            }

            #[async_trait::async_trait]
            impl sea_orm_migration::MigrationTrait for $later {
                async fn up(
                    &self,
                    manager: &sea_orm_migration::SchemaManager,
                ) -> Result<(), sea_orm_migration::DbErr> {
                    $later_up(manager).await
                }
            }
        )*
    };
}
pub(crate) use service;
