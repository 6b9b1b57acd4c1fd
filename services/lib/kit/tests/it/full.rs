//! A full disk. The largest number of pages stands for it: SQLite meets both in the same way, and ends the transaction by itself.

use convene_domain::BookingId;
use convene_kit::{Error, Result, store};
use convene_scratch::Place;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use crate::world::{Lobbies, World};

/// The file does not grow any more, on the connection that writes now.
async fn fill(world: &World) {
    let full = world.db.write(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("PRAGMA max_page_count = 1").await?;
            Ok(())
        })
    });
    full.await.unwrap();
}

async fn open(world: &World) -> Result<Uuid> {
    let booking = BookingId::from_uuid(Uuid::now_v7());
    let (origin, id) = (world.origin(), booking.lobby().as_uuid());
    let event = World::opened(booking, origin.now.plus_millis(60_000));
    let opened = world.db.write(move |tx| {
        Box::pin(async move {
            store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await?;
            Ok(id)
        })
    });
    opened.await
}

async fn is_there(world: &World, id: Uuid) -> bool {
    let row = store::get::<Lobbies, _>(world.db.read(), world.tenant, id).await;
    row.is_ok()
}

/// Opens so many lobbies at once until the disk is full; answers those that were acknowledged.
async fn until_full(world: &World, at_once: usize) -> Vec<Uuid> {
    let mut acknowledged = Vec::new();
    for _ in 0..1_000 {
        let answers = join_all((0..at_once).map(|_| open(world))).await;
        let mut full = false;
        for answer in answers {
            match answer {
                Ok(id) => acknowledged.push(id),
                Err(error) => {
                    assert_eq!(error.reason, "DISK_FULL", "{error:?}");
                    full = true;
                }
            }
        }
        if full {
            return acknowledged;
        }
    }
    panic!("the disk never was full")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_stays_and_work_goes_on_when_there_is_room_again() {
    let place = Place::sqlite();
    let world = World::new(&place).await;
    let mut acknowledged = Vec::new();
    for at_once in [1, 8, 1, 8] {
        fill(&world).await;
        acknowledged.extend(until_full(&world, at_once).await);
        // There is room again. A change that refuses itself leaves nothing open behind it ...
        let refused: Result<()> = world
            .db
            .write(|_| Box::pin(async { Err(Error::refused("NO", "no")) }))
            .await;
        assert_eq!(refused.unwrap_err().reason, "NO");
        // ... so that the next one is committed, and all see it.
        acknowledged.push(open(&world).await.unwrap());
        for id in &acknowledged {
            assert!(
                is_there(&world, *id).await,
                "an acknowledged change is gone"
            );
        }
    }
    assert_eq!(
        world.placed(acknowledged.len()).await.len(),
        acknowledged.len()
    );
}
