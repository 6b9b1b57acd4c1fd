//! By which time rows are judged.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::locked::concurrent;
use crate::{
    clock::{Clock, Offset},
    error::{Error, Result},
};

/// Both times at one moment, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Business time: judges due times.
    pub now: i64,
    /// Unmoved time: judges leases and pauses.
    pub unmoved: i64,
}

/// The process's time where one process has the database. Where several have, the database's time with the newest offset, so that a process
/// whose clock is wrong fires nothing early and takes nothing over early; an offset that is newer than the clock's is taken over.
pub async fn times<C: ConnectionTrait>(connection: &C, clock: &Clock) -> Result<Times> {
    if !concurrent(connection) {
        return Ok(Times {
            now: clock.now().as_millis(),
            unmoved: clock.unmoved().as_millis(),
        });
    }
    let statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS unmoved, \
                     coalesce(max(offset_ms), 0) AS millis, coalesce(max(version), 0) AS version \
                     FROM clock_offset";
    let row = connection
        .query_one_raw(Statement::from_string(DbBackend::Postgres, statement))
        .await?
        .ok_or_else(|| Error::internal("the database has no time"))?;
    let unmoved: i64 = row.try_get("", "unmoved")?;
    let version: i64 = row.try_get("", "version")?;
    let offset = clock.set(Offset {
        millis: row.try_get("", "millis")?,
        version: version.unsigned_abs(),
    });
    Ok(Times {
        now: unmoved.saturating_add(offset.millis),
        unmoved,
    })
}
