//! One event of one machine is written whole or not at all.

use convene_domain::TenantId;
use convene_kit::{Error, Result, event, idempotency::Key, store};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::world::{Lobbies, World};

async fn chain(world: &World, id: Uuid) -> Vec<event::Model> {
    let events = event::page(world.db.read(), 0, 1_000, event::Filter::default())
        .await
        .unwrap();
    events
        .into_iter()
        .filter(|event| event.object_id == id)
        .collect()
}

#[tokio::test]
async fn a_change_writes_state_event_and_chain() {
    let world = World::new().await;
    let id = world.open(world.clock.now().plus_millis(60_000)).await;
    assert_eq!(world.close(id, "OVER").await.unwrap(), 2);
    assert_eq!(
        world.close(id, "OVER").await.unwrap(),
        2,
        "a repeat writes nothing"
    );
    let chain = chain(&world, id).await;
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

#[tokio::test]
async fn a_refused_change_leaves_nothing_and_spoils_no_neighbour() {
    let world = World::new().await;
    let closes_at = world.clock.now().plus_millis(60_000);
    // All of these share commits: every third fails after it has written.
    let writes = (0..60).map(|n| {
        let booking = convene_domain::BookingId::from_uuid(Uuid::now_v7());
        let (origin, id) = (world.origin(), booking.lobby().as_uuid());
        let write: std::pin::Pin<Box<dyn Future<Output = Result<()>>>> =
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
    let head = event::head(world.db.read()).await.unwrap();
    assert_eq!(head, 39, "positions have no holes");
}

#[tokio::test]
async fn an_object_of_another_tenant_is_not_there() {
    let world = World::new().await;
    let id = world.open(world.clock.now()).await;
    let foreign = TenantId::from_uuid(Uuid::now_v7());
    let error = store::get::<Lobbies, _>(world.db.read(), foreign, id)
        .await
        .unwrap_err();
    assert_eq!(error.reason, "NOT_FOUND");
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let world = World::new().await;
    let origin = world.origin();
    let key = Key::new("Op", "k", b"body").unwrap();
    let object = Uuid::now_v7();
    let (kept, by) = (key.clone(), origin.clone());
    world
        .db
        .write(move |tx| Box::pin(async move { kept.remember(tx, &by, object).await }))
        .await
        .unwrap();
    assert_eq!(
        key.find(world.db.read(), &origin).await.unwrap(),
        Some(object)
    );
    let other = Key::new("Op", "k", b"another body").unwrap();
    let reused = other.find(world.db.read(), &origin).await.unwrap_err();
    assert_eq!(reused.reason, "IDEMPOTENCY_KEY_REUSED");
    let mut late = origin.clone();
    late.now = late.now.plus_millis(convene_kit::limits::IDEMPOTENCY_MS);
    assert_eq!(
        key.find(world.db.read(), &late).await.unwrap(),
        None,
        "forgotten after seven days"
    );
    let mut somebody = origin;
    somebody.actor = "key:another".into();
    assert_eq!(
        other.find(world.db.read(), &somebody).await.unwrap(),
        None,
        "keys are per principal"
    );
}

#[tokio::test]
async fn a_file_has_one_owner() {
    let world = World::new().await;
    let second = convene_kit::Db::open_sqlite::<convene_migrations::lobby_manager::Migrator>(
        world.folder.path(),
        "lobby-manager",
    );
    assert_eq!(second.await.unwrap_err().reason, "DATA_FOLDER_LOCKED");
}
