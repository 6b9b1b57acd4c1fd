//! After a rotation of keys the secrets go over to the new one, so that the old one can be retired.

use std::time::Duration;

use convene_kit::{Db, Result, keys::Sealer, lease};
use tokio_util::sync::CancellationToken;

use crate::store::secret;

/// Rows that are sealed anew in one transaction.
const BATCH: u64 = 100;
/// Pause between two looks at which key is current, in milliseconds.
const LOOK_MS: u64 = 5_000;

/// Seals anew whenever another key is current, until `stop`; of the replicas one at a time does.
pub async fn follow(db: Db, sealer: Sealer, stop: CancellationToken) -> Result<()> {
    let alone = |stop: CancellationToken| {
        let (db, sealer) = (&db, &sealer);
        async move {
            stop.run_until_cancelled(look(db, sealer)).await;
            Ok(())
        }
    };
    lease::hold(&db, "reseal", stop, alone).await
}

async fn look(db: &Db, sealer: &Sealer) {
    let mut done = String::new();
    loop {
        match pass(db, sealer, &done).await {
            Ok(current) => done = current,
            Err(error) => {
                tracing::warn!(reason = %error.reason, detail = error.detail(), "sealing webhook secrets anew; it goes on later");
            }
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// Seals every secret under the current key unless that is `done`; answers the key.
async fn pass(db: &Db, sealer: &Sealer, done: &str) -> Result<String> {
    let current = sealer.current()?;
    if current == done {
        return Ok(current);
    }
    let mut after = None;
    loop {
        let rows = secret::sealed_otherwise(db.read(), &current, after, BATCH).await?;
        let Some(last) = rows.last() else {
            return Ok(current);
        };
        after = Some(last.id);
        let mut changes = Vec::new();
        for row in rows {
            match row.again(sealer) {
                Ok(sealed) => changes.push((row, sealed)),
                // The one that does not open keeps its key from being retired; the others go on.
                Err(error) => {
                    tracing::error!(endpoint = %row.endpoint_id, detail = error.detail(), "a webhook secret does not open");
                }
            }
        }
        db.write(move |tx| {
            Box::pin(async move {
                for (row, sealed) in changes {
                    secret::replace(tx, row, sealed).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
}

#[cfg(test)]
mod tests {
    use convene_domain::{EndpointId, TenantId};
    use convene_kit::{
        ids,
        keys::{KeyFile, Keys, Use},
    };
    use convene_migrations::webhooks::Migrator;

    use super::*;

    #[tokio::test]
    async fn a_rotation_leaves_no_secret_behind() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(folder.path(), crate::NAME);
        let db = db.await.unwrap();
        let path = folder.path().join("keys.json");
        let sealer = Keys::open(&path, true).unwrap().webhooks().unwrap();
        let tenant = TenantId::from_uuid(ids::new());
        let endpoint = EndpointId::from_uuid(ids::new());
        for _ in 0..=BATCH {
            let id = ids::new();
            let row = secret::Model::seal(&sealer, tenant, endpoint, id, id.as_bytes()).unwrap();
            let stored = db.write(move |tx| Box::pin(secret::insert(tx, row)));
            stored.await.unwrap();
        }
        let first = pass(&db, &sealer, "").await.unwrap();
        let mut file = KeyFile::read(&path).unwrap();
        let now = convene_kit::Clock::default().unmoved();
        file.rotate(Use::Webhooks, now).unwrap();
        file.write(&path).unwrap();

        let sealer = Keys::open(&path, false).unwrap().webhooks().unwrap();
        let left = || secret::sealed_with(db.read(), &first);
        assert_eq!(left().await.unwrap(), BATCH + 1);
        let second = pass(&db, &sealer, &first).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(left().await.unwrap(), 0);
        let active = secret::active(db.read(), tenant, endpoint, now);
        for row in active.await.unwrap() {
            assert_eq!(row.open(&sealer).unwrap(), row.id.as_bytes());
        }
    }
}
