//! Effects: done under a lease, settled with their fact, tried again after a failure, never early.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use convene_domain::lobby::{Effect, Event, Lobby};
use convene_kit::{
    Error, Result, Row,
    clock::Offset,
    event,
    jobs::{Done, Job, Queue, Worker, open_and_dead, start},
};
use tokio_util::sync::CancellationToken;

use convene_scratch::Place;

use crate::world::{Lobbies, World};

convene_scratch::contract!(
    timers_fire_when_the_clock_says_so_and_not_before,
    a_failed_job_is_tried_again_and_done_once,
    a_hopeless_job_is_kept_for_operators,
    unwanted_work_is_dropped,
    jobs_run_in_parallel_and_two_queues_do_none_twice,
);

/// Fails so often, then closes the lobby.
#[derive(Clone, Default)]
struct Closer {
    runs: Arc<AtomicUsize>,
    fails: usize,
    permanent: bool,
    panics: bool,
    /// Runs at the same time, now and at the most.
    parallel: Arc<Mutex<(usize, usize)>>,
}

#[async_trait]
impl Worker for Closer {
    type Table = Lobbies;

    async fn run(&self, _job: &Job<Effect>, _row: Row<Lobby>) -> Result<Done<Lobbies>> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        {
            let mut parallel = self.parallel.lock().unwrap();
            parallel.0 += 1;
            parallel.1 = parallel.1.max(parallel.0);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.parallel.lock().unwrap().0 -= 1;
        if run < self.fails {
            assert!(!self.panics, "a job that panics");
            return Err(if self.permanent {
                Error::refused("NEVER", "never")
            } else {
                Error::unavailable("AWAY", "away").retry_after(Some(Duration::from_millis(30)))
            });
        }
        let reason = "TIME_OVER".to_owned();
        Ok(Done::fact(Event::LobbyClosed { reason }))
    }
}

fn work(world: &World, worker: Closer) -> CancellationToken {
    let stop = CancellationToken::new();
    let queue = Queue {
        db: world.db.clone(),
        clock: world.clock.clone(),
        worker,
        role: "test",
    };
    tokio::spawn(start(queue, stop.clone()));
    stop
}

async fn closed(world: &World) -> usize {
    let events = event::page(world.db.read(), 0, 10_000, event::Filter::default())
        .await
        .unwrap();
    events
        .iter()
        .filter(|event| event.kind == "LobbyClosed")
        .count()
}

async fn eventually(what: &str, world: &World, wanted: usize) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(20);
    while closed(world).await != wanted {
        assert!(tokio::time::Instant::now() < patience, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn timers_fire_when_the_clock_says_so_and_not_before(place: Place) {
    let world = World::new(&place).await;
    let hour = 3_600_000;
    world.open(world.clock.now().plus_millis(hour)).await;
    let worker = Closer::default();
    let stop = work(&world, worker.clone());
    world.clock.set(Offset {
        millis: hour - 60_000,
        version: 1,
    });
    // A job that is due proves that the queue has looked after the move.
    world.open(world.clock.now()).await;
    eventually("the due one", &world, 1).await;
    world.clock.set(Offset {
        millis: hour + 1,
        version: 2,
    });
    eventually("the timer", &world, 2).await;
    assert_eq!(worker.runs.load(Ordering::SeqCst), 2, "I6: once each");
    stop.cancel();
}

async fn a_failed_job_is_tried_again_and_done_once(place: Place) {
    for panics in [false, true] {
        let name = if panics { "panics" } else { "fails" };
        let world = World::named(&place, name).await;
        world.open(world.clock.now()).await;
        let worker = Closer {
            fails: 3,
            panics,
            ..Closer::default()
        };
        let stop = work(&world, worker.clone());
        eventually("after three failures", &world, 1).await;
        assert_eq!(worker.runs.load(Ordering::SeqCst), 4);
        let (open, dead) = open_and_dead(world.db.read(), world.clock.now())
            .await
            .unwrap();
        assert_eq!((open, dead), (0, 0), "nothing is left over");
        stop.cancel();
    }
}

async fn a_hopeless_job_is_kept_for_operators(place: Place) {
    let world = World::new(&place).await;
    world.open(world.clock.now()).await;
    let stop = work(
        &world,
        Closer {
            fails: 99,
            permanent: true,
            ..Closer::default()
        },
    );
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while open_and_dead(world.db.read(), world.clock.now())
        .await
        .unwrap()
        != (0, 1)
    {
        assert!(tokio::time::Instant::now() < patience);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(closed(&world).await, 0);
    stop.cancel();
}

async fn unwanted_work_is_dropped(place: Place) {
    let world = World::new(&place).await;
    let id = world.open(world.clock.now()).await;
    world.close(id, "BY_HAND").await.unwrap();
    let worker = Closer::default();
    let stop = work(&world, worker.clone());
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while open_and_dead(world.db.read(), world.clock.now())
        .await
        .unwrap()
        != (0, 0)
    {
        assert!(tokio::time::Instant::now() < patience);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(worker.runs.load(Ordering::SeqCst), 0);
    stop.cancel();
}

async fn jobs_run_in_parallel_and_two_queues_do_none_twice(place: Place) {
    let world = World::new(&place).await;
    for _ in 0..40 {
        world.open(world.clock.now()).await;
    }
    let worker = Closer::default();
    let stops = [work(&world, worker.clone()), work(&world, worker.clone())];
    eventually("all", &world, 40).await;
    assert_eq!(worker.runs.load(Ordering::SeqCst), 40, "each once");
    assert!(worker.parallel.lock().unwrap().1 > 1, "in parallel");
    for stop in stops {
        stop.cancel();
    }
}
