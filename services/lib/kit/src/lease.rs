//! Something that runs in one replica at a time.
//!
//! On PostgreSQL a lease is an advisory lock of a session: it ends with the process or its connection, and the work is dropped when that is
//! noticed. Between the server's notice and ours another replica may have begun, so what is stored under a lease checks in its transaction that
//! it is not stored already. On SQLite there is one process, and every lease is its own.

use tokio_util::sync::CancellationToken;

use crate::{
    db::{Db, Held},
    error::Result,
};

/// Waits for the lease of this name, then works until `stop`; begins anew when the lease is lost. The first failure of the work ends it.
pub async fn hold<F, Fut>(db: &Db, name: &str, stop: CancellationToken, work: F) -> Result<()>
where
    F: Fn(CancellationToken) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    loop {
        let Some(lease) = stop.run_until_cancelled(db.lease(name)).await else {
            return Ok(());
        };
        let lease: Held = lease?;
        match lease.lost().run_until_cancelled(work(stop.clone())).await {
            Some(ended) => return ended,
            None => tracing::warn!(lease = name, "a lease was lost; waiting for it again"),
        }
    }
}
