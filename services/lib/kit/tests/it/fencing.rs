//! A worker that lost its lease stores nothing, and a process whose clock is wrong fires nothing early.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use convene_domain::lobby::{Effect, Event, Lobby};
use convene_kit::{
    Clock, Result, Row,
    jobs::{Done, Job, Queue, Worker, open_and_dead, start},
};
use convene_scratch::{Place, on_postgres};
use sea_orm::ConnectionTrait as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::world::{Lobbies, World, until};

convene_scratch::contract!(who_lost_the_lease_stores_nothing);

fn work<W: Worker<Table = Lobbies>>(world: &World, worker: W, stop: &CancellationToken) {
    let queue = Queue {
        db: world.db.clone(),
        clock: world.clock.clone(),
        worker,
        role: "test",
    };
    tokio::spawn(start(queue, stop.clone()));
}

/// The first run loses its lease and goes on; the second one does the work.
#[derive(Clone)]
struct Slow {
    world: World,
    runs: Arc<AtomicUsize>,
    second: Arc<Notify>,
    first_ends: Arc<Notify>,
}

#[async_trait]
impl Worker for Slow {
    type Table = Lobbies;

    async fn run(&self, _job: &Job<Effect>, _row: Row<Lobby>) -> Result<Done<Lobbies>> {
        let reason = match self.runs.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let expired = self.world.db.write(|tx| Box::pin(expire(tx)));
                expired.await?;
                self.second.notified().await;
                "FIRST"
            }
            _ => {
                self.second.notify_one();
                self.first_ends.notified().await;
                "SECOND"
            }
        };
        let reason = reason.to_owned();
        Ok(Done::fact(Event::LobbyClosed { reason }))
    }
}

async fn expire(tx: &convene_kit::Tx) -> Result<()> {
    tx.execute_unprepared("UPDATE job SET lease_until_ms = 1")
        .await?;
    Ok(())
}

async fn who_lost_the_lease_stores_nothing(place: Place) {
    let world = World::new(&place).await;
    let replica = world.replica(&place).await;
    let worker = Slow {
        world: world.clone(),
        runs: Arc::default(),
        second: Arc::default(),
        first_ends: Arc::default(),
    };
    let stop = CancellationToken::new();
    work(&world, worker.clone(), &stop);
    work(&replica, worker.clone(), &stop);
    world.open(world.clock.now()).await;
    until("both run", || async {
        (worker.runs.load(Ordering::SeqCst) == 2).then_some(())
    })
    .await;
    // The first one brings its fact home while the second one holds the lease.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let events = world.placed(1).await;
    assert_eq!(events.len(), 1, "nothing was stored by the first one");
    worker.first_ends.notify_one();
    let events = world.placed(2).await;
    assert!(events[1].data.contains("SECOND"), "{}", events[1].data);
    until("nothing is left", || async {
        let left = open_and_dead(world.db.read(), world.clock.now()).await;
        (left.unwrap() == (0, 0)).then_some(())
    })
    .await;
    assert_eq!(worker.runs.load(Ordering::SeqCst), 2);
    stop.cancel();
}

/// Closes.
struct Closer;

#[async_trait]
impl Worker for Closer {
    type Table = Lobbies;

    async fn run(&self, _job: &Job<Effect>, _row: Row<Lobby>) -> Result<Done<Lobbies>> {
        let reason = "TIME_OVER".to_owned();
        Ok(Done::fact(Event::LobbyClosed { reason }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_fires_nothing_early_and_dates_nothing_back() {
    on_postgres(|place| async move {
        for wrong_by in [3_600_000, -3_600_000] {
            let mut world = World::named(&place, if wrong_by > 0 { "fast" } else { "slow" }).await;
            let right = Clock::default();
            let due = right.now().plus_millis(1_500);
            world.open(due).await;
            world.clock = Clock::wrong_by(wrong_by);
            let stop = CancellationToken::new();
            work(&world, Closer, &stop);
            let events = world.placed(2).await;
            assert!(right.now() >= due, "fired early");
            assert!(
                right.now() < due.plus_millis(10_000),
                "the database's time tells when"
            );
            assert!(
                events[1].occurred_at_ms >= due.as_millis(),
                "its fact is dated before its time"
            );
            stop.cancel();
        }
    })
    .await;
}
