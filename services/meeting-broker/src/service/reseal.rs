//! After a rotation of keys the join details go over to the new one, so that the old one can be retired.

use std::time::Duration;

use convene_domain::{MeetingId, TenantId};
use convene_kit::{
    Db, Result,
    keys::{Sealed, Sealer},
    lease,
};
use tokio_util::sync::CancellationToken;

use crate::store::join_details;

/// Rows that are sealed anew in one transaction.
const BATCH: u64 = 100;
/// Pause between two looks at which key is current, in milliseconds.
const LOOK_MS: u64 = 5_000;

/// Seals anew whenever another key is current, until `stop`; of the replicas one at a time does.
pub async fn follow(db: Db, sealer: Sealer, stop: CancellationToken) -> Result<()> {
    let alone = |stop| follow_alone(&db, &sealer, stop);
    lease::hold(&db, "reseal", stop, alone).await
}

async fn follow_alone(db: &Db, sealer: &Sealer, stop: CancellationToken) -> Result<()> {
    let following = async {
        let mut done = String::new();
        loop {
            match pass(db, sealer, &done).await {
                Ok(current) => done = current,
                Err(error) => {
                    tracing::warn!(reason = %error.reason, detail = error.detail(), "sealing join details anew; it goes on later");
                }
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    };
    stop.run_until_cancelled(following).await;
    Ok(())
}

/// Seals every row under the current key unless that is `done`; answers the key.
pub async fn pass(db: &Db, sealer: &Sealer, done: &str) -> Result<String> {
    let current = sealer.current()?;
    if current == done {
        return Ok(current);
    }
    let mut after = None;
    loop {
        let rows = join_details::sealed_otherwise(db.read(), &current, after, BATCH).await?;
        let Some(last) = rows.last() else {
            return Ok(current);
        };
        after = Some((last.tenant, last.meeting));
        let mut changes = Vec::new();
        for row in rows {
            match again(sealer, row.tenant, row.meeting, &row.sealed) {
                Ok(sealed) => changes.push((row, sealed)),
                // The one that does not open keeps its key from being retired; the others go on.
                Err(error) => {
                    tracing::error!(meeting = %row.meeting, detail = error.detail(), "join details do not open");
                }
            }
        }
        db.write(move |tx| {
            Box::pin(async move {
                for (row, sealed) in changes {
                    join_details::replace(tx, row, sealed).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
}

fn again(sealer: &Sealer, tenant: TenantId, meeting: MeetingId, sealed: &Sealed) -> Result<Sealed> {
    let details = join_details::open(sealer, tenant, meeting, sealed)?;
    join_details::seal(sealer, tenant, meeting, &details)
}

#[cfg(test)]
mod tests {
    use convene_kit::keys::{KeyFile, Keys, Use};
    use convene_migrations::meeting_broker::Migrator;
    use uuid::Uuid;

    use super::*;
    use crate::provider::JoinDetails;

    /// Rows of before and after a rotation open at every moment; afterwards nothing needs the old key.
    #[tokio::test]
    async fn a_rotation_leaves_no_row_behind() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(folder.path(), "meeting-broker");
        let db = db.await.unwrap();
        let path = folder.path().join("keys.json");
        let sealer = Keys::open(&path, true).unwrap().join_details().unwrap();
        let tenant = TenantId::from_uuid(Uuid::now_v7());
        let meetings: Vec<_> = (0..2 * BATCH + 1)
            .map(|_| MeetingId::from_uuid(Uuid::now_v7()))
            .collect();
        let details = JoinDetails {
            join_url: "https://meet.example/1".to_owned(),
            ..JoinDetails::default()
        };
        for meeting in meetings.clone() {
            let sealed = join_details::seal(&sealer, tenant, meeting, &details).unwrap();
            db.write(move |tx| Box::pin(join_details::store(tx, tenant, meeting, sealed)))
                .await
                .unwrap();
        }
        let first = pass(&db, &sealer, "").await.unwrap();
        assert_eq!(first, "join-details-1");

        let mut file = KeyFile::read(&path).unwrap();
        let now = convene_kit::Clock::default().unmoved();
        file.rotate(Use::JoinDetails, now).unwrap();
        file.write(&path).unwrap();
        let sealer = Keys::open(&path, false).unwrap().join_details().unwrap();
        let left = |id: &'static str| join_details::sealed_with(db.read(), id);
        assert_eq!(left("join-details-1").await.unwrap(), 2 * BATCH + 1);
        let second = pass(&db, &sealer, &first).await.unwrap();
        assert_eq!(second, "join-details-2");
        assert_eq!(left("join-details-1").await.unwrap(), 0);

        file.retire("join-details-1", now.plus_millis(3_600_000))
            .unwrap();
        file.write(&path).unwrap();
        let sealer = Keys::open(&path, false).unwrap().join_details().unwrap();
        for meeting in meetings {
            let sealed = join_details::get(db.read(), tenant, meeting).await.unwrap();
            let opened = join_details::open(&sealer, tenant, meeting, &sealed).unwrap();
            assert_eq!(opened.join_url, details.join_url);
        }
    }
}
