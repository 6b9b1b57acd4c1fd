//! Locks on what has no row yet, and what a database of several writers knows besides.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::Tx;
use crate::error::Result;

/// Whether changes run beside each other here.
pub fn concurrent<C: ConnectionTrait>(connection: &C) -> bool {
    connection.get_database_backend() == DbBackend::Postgres
}

/// Waits until this change is the only one that holds the name, and holds it to the change's end; `false` where changes run one after the
/// other anyway.
pub async fn by_name(tx: &Tx, name: &str) -> Result<bool> {
    if !concurrent(tx) {
        return Ok(false);
    }
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/' || $1, 0))";
    tx.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        lock,
        [name.into()],
    ))
    .await?;
    Ok(true)
}
