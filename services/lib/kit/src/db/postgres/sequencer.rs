//! Gives events their place in the feed after they are committed.
//!
//! Serial numbers become visible out of the order of commits, so a reader that has seen 7 could miss 6 for ever. Here one replica at a time
//! numbers what is committed, in the order in which it was written; changes of one object are written one after the other, so their order stays.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{news::News, session::Session};
use crate::error::Result;

/// Events that get their places in one transaction.
const BATCH: u64 = 1_000;
/// Pause after a failure, in milliseconds.
const AGAIN_MS: u64 = 250;

/// Runs while the database is open, in one replica at a time.
pub fn start(session: &Session, pool: PgPool, news: News, stop: CancellationToken) {
    let session = session.clone();
    let work = async move {
        while let Ok(lease) = session.lease("sequencer").await {
            let lost = lease.lost();
            lost.run_until_cancelled(sequence(&pool, &news)).await;
        }
    };
    tokio::spawn(stop.run_until_cancelled_owned(work));
}

async fn sequence(pool: &PgPool, news: &News) {
    let mut commits = news.commits();
    loop {
        commits.mark_unchanged();
        match place(pool).await {
            Ok(0) => {}
            Ok(placed) => {
                news.committed();
                if placed == BATCH {
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(reason = %error.reason, detail = error.detail(), "events wait for their places");
                tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
                continue;
            }
        }
        if commits.changed().await.is_err() {
            return;
        }
    }
}

/// Places the oldest events that wait; answers how many.
async fn place(pool: &PgPool) -> Result<u64> {
    let wait: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM event WHERE position IS NULL)")
        .fetch_one(pool)
        .await?;
    if !wait {
        return Ok(0);
    }
    let mut tx = pool.begin().await?;
    // A sequencer that has lost its lease and does not know it yet must not number the same.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/place', 0))")
        .execute(&mut *tx)
        .await?;
    let placed = sqlx::query(
        "WITH head AS (SELECT coalesce(max(position), 0) AS position FROM event), \
         waiting AS (SELECT tenant_id, object_id, seq, inserted FROM event \
                     WHERE position IS NULL ORDER BY inserted LIMIT $1), \
         placed AS (SELECT tenant_id, object_id, seq, \
                           row_number() OVER (ORDER BY inserted) AS place FROM waiting) \
         UPDATE event SET position = head.position + placed.place FROM head, placed \
         WHERE event.tenant_id = placed.tenant_id AND event.object_id = placed.object_id \
           AND event.seq = placed.seq",
    )
    .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(placed.rows_affected())
}
