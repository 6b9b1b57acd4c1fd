//! One event of one machine is written whole or not at all.

use convene_domain::{BookingId, TenantId};
use convene_kit::{Db, Error, Origin, Result, db, event, idempotency::Key, store};
use convene_migrations::lobby_manager::Migrator;
use convene_scratch::Place;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use crate::world::{Lobbies, NAME, World};

convene_scratch::contract!(
    a_change_writes_state_event_and_chain,
    a_refused_change_leaves_nothing_and_spoils_no_neighbour,
    an_object_of_another_tenant_is_not_there,
    a_key_stands_for_one_request,
    the_same_request_twice_at_once_is_one,
    changes_of_one_object_come_one_after_the_other,
    one_object_is_made_once,
    a_snapshot_is_whole_and_of_one_moment,
);

async fn chain(world: &World, id: Uuid, count: usize) -> Vec<event::Model> {
    let events = world.placed(count).await;
    events
        .into_iter()
        .filter(|event| event.object_id == id)
        .collect()
}

async fn a_change_writes_state_event_and_chain(place: Place) {
    let world = World::new(&place).await;
    let id = world.open(world.clock.now().plus_millis(60_000)).await;
    assert_eq!(world.close(id, "OVER").await.unwrap(), 2);
    assert_eq!(
        world.close(id, "OVER").await.unwrap(),
        2,
        "a repeat writes nothing"
    );
    let chain = chain(&world, id, 2).await;
    assert_eq!(chain.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(chain[0].previous_hash, event::GENESIS);
    assert_eq!(chain[1].previous_hash, chain[0].hash);
    assert!(
        chain
            .iter()
            .all(|event| event.hash == event.expected_hash())
    );
    let mut forged = chain[1].clone();
    forged.data = forged.data.replace("OVER", "EVER");
    assert_ne!(forged.hash, forged.expected_hash());
}

async fn a_refused_change_leaves_nothing_and_spoils_no_neighbour(place: Place) {
    let world = World::new(&place).await;
    let closes_at = world.clock.now().plus_millis(60_000);
    // All of these share commits: every third fails after it has written.
    let writes = (0..60).map(|n| {
        let booking = BookingId::from_uuid(Uuid::now_v7());
        let (origin, id) = (world.origin(), booking.lobby().as_uuid());
        let write: std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>> =
            Box::pin(world.db.write(move |tx| {
                Box::pin(async move {
                    let event = World::opened(booking, closes_at);
                    store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await?;
                    match n % 3 {
                        0 => Err(Error::refused("NO", "no")),
                        1 if n == 31 => panic!("a change that panics"),
                        _ => Ok(()),
                    }
                })
            }));
        write
    });
    let answers = join_all(writes).await;
    let stored = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(stored, 39);
    let positions = world.placed(39).await.into_iter().map(|e| e.position);
    assert!(positions.eq(1..=39), "positions have no holes");
}

async fn an_object_of_another_tenant_is_not_there(place: Place) {
    let world = World::new(&place).await;
    let id = world.open(world.clock.now()).await;
    let foreign = TenantId::from_uuid(Uuid::now_v7());
    let error = store::get::<Lobbies, _>(world.db.read(), foreign, id)
        .await
        .unwrap_err();
    assert_eq!(error.reason, "NOT_FOUND");
}

async fn a_key_stands_for_one_request(place: Place) {
    let world = World::new(&place).await;
    let origin = world.origin();
    let key = Key::new("Op", "k", b"body").unwrap();
    let object = Uuid::now_v7();
    let (kept, by) = (key.clone(), origin.clone());
    world
        .db
        .write(move |tx| Box::pin(async move { kept.remember(tx, &by, object).await }))
        .await
        .unwrap();
    assert_eq!(found(&world, &key, &origin).await.unwrap(), Some(object));
    let other = Key::new("Op", "k", b"another body").unwrap();
    let reused = found(&world, &other, &origin).await.unwrap_err();
    assert_eq!(reused.reason, "IDEMPOTENCY_KEY_REUSED");
    let mut somebody = origin.clone();
    somebody.actor = "key:another".into();
    let free = found(&world, &other, &somebody).await.unwrap();
    assert_eq!(free, None, "keys are per principal");
    let mut late = origin;
    late.now = late.now.plus_millis(convene_kit::limits::IDEMPOTENCY_MS);
    let forgotten = found(&world, &key, &late).await.unwrap();
    assert_eq!(forgotten, None, "forgotten after seven days");
    // The same key may then stand for another request.
    let (kept, by) = (other.clone(), late.clone());
    world
        .db
        .write(move |tx| Box::pin(async move { kept.remember(tx, &by, object).await }))
        .await
        .unwrap();
    assert_eq!(found(&world, &other, &late).await.unwrap(), Some(object));
}

async fn found(world: &World, key: &Key, origin: &Origin) -> Result<Option<Uuid>> {
    let (key, origin) = (key.clone(), origin.clone());
    world
        .db
        .write(move |tx| Box::pin(async move { key.find(tx, &origin).await }))
        .await
}

async fn the_same_request_twice_at_once_is_one(place: Place) {
    let world = World::new(&place).await;
    let replica = world.replica(&place).await;
    for round in 0..20 {
        let key = Key::new("Op", &format!("key {round}"), b"body").unwrap();
        let requests = [&world, &replica, &world, &replica].map(|world| {
            let (key, origin) = (key.clone(), world.origin());
            world.db.write(move |tx| {
                Box::pin(async move {
                    if let Some(id) = key.find(tx, &origin).await? {
                        return Ok(id);
                    }
                    let booking = BookingId::from_uuid(Uuid::now_v7());
                    let id = booking.lobby().as_uuid();
                    let event = World::opened(booking, origin.now);
                    store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await?;
                    key.remember(tx, &origin, id).await?;
                    Ok(id)
                })
            })
        });
        let answers = join_all(requests).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref() == Ok(first)));
    }
    assert_eq!(world.placed(20).await.len(), 20, "one lobby a key");
}

async fn changes_of_one_object_come_one_after_the_other(place: Place) {
    let world = World::new(&place).await;
    let replica = world.replica(&place).await;
    let id = world.open(world.clock.now().plus_millis(60_000)).await;
    // Whoever comes first closes; the others see that it is closed, and nobody is told to come again.
    let closes = (0..20).map(|n| match n % 2 {
        0 => world.close(id, "OVER"),
        _ => replica.close(id, "OVER"),
    });
    for version in join_all(closes).await {
        assert_eq!(version.unwrap(), 2);
    }
    assert_eq!(chain(&world, id, 2).await.len(), 2);
}

async fn one_object_is_made_once(place: Place) {
    let world = World::new(&place).await;
    let replica = world.replica(&place).await;
    let booking = BookingId::from_uuid(Uuid::now_v7());
    let id = booking.lobby().as_uuid();
    let makes = (0..8).map(|n| {
        let world = if n % 2 == 0 { &world } else { &replica };
        let origin = world.origin();
        world.db.write(move |tx| {
            Box::pin(async move {
                let known = store::load_for_change::<Lobbies>(tx, origin.tenant, id).await?;
                if let Some(row) = known {
                    return Ok(row);
                }
                let event = World::opened(booking, origin.now);
                store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await
            })
        })
    });
    for made in join_all(makes).await {
        assert_eq!(made.unwrap().version, 1);
    }
}

async fn a_snapshot_is_whole_and_of_one_moment(place: Place) {
    let world = World::new(&place).await;
    for _ in 0..10 {
        world.open(world.clock.now()).await;
    }
    let snapshot = db::snapshot(place.database(), NAME).await.unwrap().unwrap();
    // Whatever has a place by now: nothing that is committed is left out.
    let filter = event::Filter::default();
    let mut seen = event::page(&snapshot, 0, 100, filter).await.unwrap();
    world.open(world.clock.now()).await;
    world.placed(11).await;
    seen.extend(event::unplaced(&snapshot, filter).await.unwrap());
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|event| event.hash == event.expected_hash()));
    let written = snapshot.execute_unprepared("DELETE FROM event").await;
    assert!(written.is_err(), "it reads only");
    let nobody = db::snapshot(place.database(), "nobody").await.unwrap();
    assert!(nobody.is_none());
}

#[tokio::test]
async fn a_file_has_one_owner() {
    let place = Place::sqlite();
    let _world = World::new(&place).await;
    let second = Db::open::<Migrator>(place.database(), NAME).await;
    assert_eq!(second.unwrap_err().reason, "DATA_FOLDER_LOCKED");
}
