//! What several processes of one service may do to each other: nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use convene_domain::BookingId;
use convene_kit::{Database, Db, clock::Offset, event, lease, role, store};
use convene_migrations::lobby_manager::Migrator;
use convene_scratch::{Place, on_postgres};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{Lobbies, NAME, World, until};

convene_scratch::contract!(no_reader_misses_an_event_of_concurrent_changes);

/// Eight writers on two handles, and a reader who never looks back.
async fn no_reader_misses_an_event_of_concurrent_changes(place: Place) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let world = World::new(&place).await;
    let replica = world.replica(&place).await;
    let writing = (0..WRITERS).map(|n| {
        let world = if n % 2 == 0 { &world } else { &replica }.clone();
        tokio::spawn(async move {
            for _ in 0..EACH {
                let id = world.open(world.clock.now()).await;
                world.close(id, "OVER").await.unwrap();
            }
        })
    });
    let writing: Vec<_> = writing.collect();
    let mut seqs: HashMap<Uuid, i64> = HashMap::new();
    let mut after = 0;
    let mut commits = replica.db.commits();
    while after < (WRITERS * EACH * 2) as i64 {
        commits.mark_unchanged();
        let events = event::page(replica.db.read(), after, 7, event::Filter::default());
        for event in events.await.unwrap() {
            assert_eq!(event.position, after + 1, "no event falls between");
            after = event.position;
            let seq = seqs.entry(event.object_id).or_default();
            assert_eq!(event.seq, *seq + 1, "in the order of its object");
            *seq = event.seq;
        }
        let _ = tokio::time::timeout(Duration::from_millis(20), commits.changed()).await;
    }
    for written in join_all(writing).await {
        written.unwrap();
    }
    let waiting = event::unplaced(world.db.read(), event::Filter::default());
    assert!(waiting.await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_agree_on_the_schema() {
    on_postgres(|place| async move {
        let opened = (0..6).map(|_| Db::open::<Migrator>(place.database(), NAME));
        for opened in join_all(opened).await {
            opened.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_here_wakes_a_replica_there() {
    on_postgres(|place| async move {
        let world = World::new(&place).await;
        let replica = world.replica(&place).await;
        let mut events = HashMap::new();
        let mut commits = replica.db.commits();
        for round in 0..20 {
            commits.mark_unchanged();
            let id = world.open(world.clock.now()).await;
            events.insert(id, round);
            // Quicker than the backstop, at least most of the time.
            let woken = tokio::time::timeout(Duration::from_millis(500), commits.changed());
            woken.await.expect("a notification comes").unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_passes_on_when_its_connection_ends() {
    on_postgres(|place| async move {
        let world = World::new(&place).await;
        let server = place.server().unwrap();
        let stop = CancellationToken::new();
        let begun = Arc::new(AtomicUsize::new(0));
        let running = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..3 {
            let db = world.replica(&place).await.db;
            let (begun, running) = (begun.clone(), running.clone());
            let work = move |stop: CancellationToken| {
                let (begun, running) = (begun.clone(), Running::new(&running));
                async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                    stop.cancelled().await;
                    drop(running);
                    Ok(())
                }
            };
            let stop = stop.clone();
            tasks.push(tokio::spawn(async move {
                lease::hold(&db, "alone", stop, work).await
            }));
        }
        let counts = || (begun.load(Ordering::SeqCst), running.load(Ordering::SeqCst));
        for hand_over in 1..=3 {
            until("exactly one works", || async {
                (counts() == (hand_over, 1)).then_some(())
            })
            .await;
            // Longer than the others need to look for a free lease.
            tokio::time::sleep(Duration::from_millis(600)).await;
            assert_eq!(counts(), (hand_over, 1), "the others wait");
            assert!(server.end_holder("lobby_manager/lease/alone").await);
        }
        until("the last hand-over", || async {
            (counts() == (4, 1)).then_some(())
        })
        .await;
        stop.cancel();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(counts().1, 0);
    })
    .await;
}

/// Counts who works; work that is dropped counts no more.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_throws_everybody_out_loses_nothing_that_was_confirmed() {
    on_postgres(|place| async move {
        const CHANGES: usize = 300;
        let world = World::new(&place).await;
        let replica = world.replica(&place).await;
        let trouble = {
            let server = place.server().unwrap().clone();
            tokio::spawn(async move {
                let mut ended = 0;
                for _ in 0..6 {
                    tokio::time::sleep(Duration::from_millis(120)).await;
                    ended += server.end_all().await;
                }
                ended
            })
        };
        let mut confirmed = Vec::new();
        let mut refused = Vec::new();
        let mut failures = 0;
        let mut n = 0;
        while n < CHANGES || !trouble.is_finished() {
            let world = if n % 2 == 0 { &world } else { &replica };
            n += 1;
            let booking = BookingId::from_uuid(Uuid::now_v7());
            let (origin, id) = (world.origin(), booking.lobby().as_uuid());
            let written = world.db.write(move |tx| {
                Box::pin(async move {
                    let event = World::opened(booking, origin.now);
                    store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await
                })
            });
            match written.await {
                Ok(_) => confirmed.push(id),
                Err(error) => {
                    failures += 1;
                    assert!(error.is_transient(), "{error:?}");
                    match error.reason.as_ref() {
                        "OUTCOME_UNKNOWN" => {}
                        "DATABASE_UNREACHABLE" => refused.push(id),
                        other => panic!("{other}: {error:?}"),
                    }
                }
            }
        }
        assert!(trouble.await.unwrap() > 6, "connections were ended");
        assert!(failures > 0, "somebody was hit");
        let events = world.placed(confirmed.len()).await;
        for (place, event) in (1..).zip(&events) {
            assert_eq!(event.position, place, "no hole");
        }
        let stored: Vec<Uuid> = events.iter().map(|event| event.object_id).collect();
        for id in confirmed {
            assert!(stored.contains(&id), "confirmed and lost");
        }
        for id in refused {
            assert!(!stored.contains(&id), "refused and stored");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_the_clock_that_another_was_told() {
    on_postgres(|place| async move {
        let world = World::new(&place).await;
        let replica = world.replica(&place).await;
        let stop = CancellationToken::new();
        let following =
            role::follow_offset(replica.db.clone(), replica.clock.clone(), stop.clone());
        let following = tokio::spawn(following);
        let offset = Offset {
            millis: 3_600_000,
            version: 7,
        };
        world
            .db
            .write(move |tx| Box::pin(role::remember_offset(tx, offset)))
            .await
            .unwrap();
        until("the offset arrives", || async {
            (replica.clock.offset() == offset).then_some(())
        })
        .await;
        stop.cancel();
        following.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_says_what_to_do() {
    let nowhere = Database::postgres("postgres://nobody:hunter2@127.0.0.1:1/none");
    let error = Db::open::<Migrator>(&nowhere, NAME).await.unwrap_err();
    assert_eq!(error.reason, "DATABASE_UNUSABLE");
    assert!(error.message.contains("database.url"), "{error}");
    let malformed = Database::postgres("hunter2");
    let wrong = Db::open::<Migrator>(&malformed, NAME).await.unwrap_err();
    assert_eq!(wrong.field.as_deref(), Some("database.url"));
    for error in [error, wrong] {
        assert!(!format!("{error:?}").contains("hunter2"), "no password");
    }
    assert!(!format!("{nowhere:?}").contains("hunter2"));
}
