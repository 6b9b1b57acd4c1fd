//! Lobbies, visits, tickets and permits; plugins, where they are bound, what they keep, and their calls.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ColumnDef, Index, Table, TableCreateStatement},
};

use crate::spine::{index, machine_table, service};

service!("lobby_manager", up, Plugins = "m0002_plugins": plugins, Breakers = "m0003_plugin_breakers": breakers);

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

async fn plugins(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager.create_table(plugin_module()).await?;
    index(
        manager,
        "plugin_module",
        &["tenant_id", "name", "version"],
        true,
    )
    .await?;
    manager.create_table(plugin_binding()).await?;
    index(
        manager,
        "plugin_binding",
        &["tenant_id", "hook", "scope_id"],
        true,
    )
    .await?;
    manager.create_table(plugin_value()).await?;
    manager.create_table(plugin_call()).await?;
    index(manager, "plugin_call", &["tenant_id", "visit_id"], false).await?;
    index(
        manager,
        "plugin_call",
        &["tenant_id", "binding_id", "id"],
        false,
    )
    .await
}

async fn breakers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // JSON: how the active one and the shadow have done of late.
    let column = ColumnDef::new("breakers")
        .text()
        .not_null()
        .default("{}")
        .to_owned();
    let table = Table::alter()
        .table("plugin_binding")
        .add_column(column)
        .to_owned();
    manager.alter_table(table).await
}

/// Uploaded modules; those with a name and a version are published and never change.
fn plugin_module() -> TableCreateStatement {
    Table::create()
        .table("plugin_module")
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        // SHA-256, in hex.
        .col(ColumnDef::new("digest").string_len(64).not_null())
        .col(ColumnDef::new("bytes").blob().not_null())
        .col(ColumnDef::new("size_bytes").big_integer().not_null())
        .col(ColumnDef::new("uploaded_at_ms").big_integer().not_null())
        .col(ColumnDef::new("name").string_len(64))
        .col(ColumnDef::new("version").string_len(64))
        // JSON lists.
        .col(ColumnDef::new("hooks").text().not_null())
        .col(ColumnDef::new("capabilities").text().not_null())
        .col(ColumnDef::new("published_at_ms").big_integer())
        .primary_key(Index::create().col("tenant_id").col("digest"))
        .to_owned()
}

/// Which plugin decides where.
fn plugin_binding() -> TableCreateStatement {
    Table::create()
        .table("plugin_binding")
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("id").uuid().not_null())
        .col(ColumnDef::new("version").big_integer().not_null())
        .col(ColumnDef::new("head_hash").blob().not_null())
        .col(ColumnDef::new("hook").string_len(32).not_null())
        .col(ColumnDef::new("scope").string_len(16).not_null())
        // The host's or the lobby's id; the tenant's own for the whole tenant.
        .col(ColumnDef::new("scope_id").uuid().not_null())
        // JSON: module, grants, limits, settings.
        .col(ColumnDef::new("active").text())
        .col(ColumnDef::new("previous").text())
        .col(ColumnDef::new("shadow").text())
        .col(ColumnDef::new("on_fault").string_len(80).not_null())
        .col(ColumnDef::new("enabled").boolean().not_null())
        .col(ColumnDef::new("created_at_ms").big_integer().not_null())
        .primary_key(Index::create().col("tenant_id").col("id"))
        .to_owned()
}

/// What plugins keep, by the plugin's name: its versions share it.
fn plugin_value() -> TableCreateStatement {
    Table::create()
        .table("plugin_value")
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("plugin").string_len(64).not_null())
        .col(ColumnDef::new("key").string_len(256).not_null())
        .col(ColumnDef::new("value").blob().not_null())
        .col(ColumnDef::new("revision").big_integer().not_null())
        .primary_key(Index::create().col("tenant_id").col("plugin").col("key"))
        .to_owned()
}

/// The journal of calls.
fn plugin_call() -> TableCreateStatement {
    Table::create()
        .table("plugin_call")
        .col(ColumnDef::new("tenant_id").uuid().not_null())
        .col(ColumnDef::new("id").uuid().not_null())
        .col(ColumnDef::new("binding_id").uuid().not_null())
        .col(ColumnDef::new("visit_id").uuid().not_null())
        .col(ColumnDef::new("digest").string_len(64).not_null())
        .col(ColumnDef::new("shadow").boolean().not_null())
        // Whether anything was done because of it.
        .col(ColumnDef::new("acted").boolean().not_null())
        .col(ColumnDef::new("at_ms").big_integer().not_null())
        .col(ColumnDef::new("verdict").string_len(16).not_null())
        .col(ColumnDef::new("subject").string_len(64).not_null())
        .col(ColumnDef::new("fuel").big_integer().not_null())
        .col(ColumnDef::new("duration_us").big_integer().not_null())
        // JSON: all that a replay needs. May hold names, where an admin granted them: never in logs, never in events.
        .col(ColumnDef::new("record").text().not_null())
        .primary_key(Index::create().col("tenant_id").col("id"))
        .to_owned()
}
