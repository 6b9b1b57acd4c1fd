//! The points of a role: a failure before an act prevents it, one after it comes too late, and no job is lost by either.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use convene_domain::{
    Machine as _,
    lobby::{Effect, Event, Phase},
};
use convene_kit::{
    Result, Row,
    jobs::{self, Done, Job, Queue, Worker},
    probe::{Act, Point, Probe, Probed, Side, Verdict},
};
use convene_scratch::Place;
use tokio_util::sync::CancellationToken;

use crate::world::{Lobbies, World};

/// Gives one verdict at the first point that fits.
struct Once {
    act: Act,
    side: Side,
    what: &'static str,
    verdict: Verdict,
    fits: AtomicUsize,
}

#[async_trait]
impl Probe for Once {
    async fn at(&self, point: Point) -> Verdict {
        let fits =
            point.act == self.act && point.side == self.side && point.what.contains(self.what);
        if fits && self.fits.fetch_add(1, Ordering::SeqCst) == 0 {
            self.verdict
        } else {
            Verdict::Pass
        }
    }
}

fn once(act: Act, side: Side, what: &'static str, verdict: Verdict) -> Arc<Once> {
    Arc::new(Once {
        act,
        side,
        what,
        verdict,
        fits: AtomicUsize::default(),
    })
}

/// Closes lobbies and counts how often it was told to.
#[derive(Default, Clone)]
struct Closer(Arc<AtomicUsize>);

#[async_trait]
impl Worker for Closer {
    type Table = Lobbies;

    async fn run(
        &self,
        _job: &Job<Effect>,
        _row: Row<convene_domain::lobby::Lobby>,
    ) -> Result<Done<Lobbies>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Done::fact(Event::LobbyClosed {
            reason: "TIME_OVER".into(),
        }))
    }
}

/// Opens a lobby that is due to close and works on it under a probe; answers how often the effect was acted.
async fn closed_under(probe: Arc<Once>) -> usize {
    let place = Place::sqlite();
    let mut world = World::new(&place).await;
    let id = world.open(world.clock.now()).await;
    let unprobed = world.db.clone();
    world.db = world
        .db
        .with_probe(Probed::new("test", Some(probe.clone())));
    let (closer, stop) = (Closer::default(), CancellationToken::new());
    let working = tokio::spawn(jobs::start(
        Queue {
            db: world.db.clone(),
            clock: world.clock.clone(),
            worker: closer.clone(),
            role: "test",
        },
        stop.clone(),
    ));
    // Shorter than a lease: a job that waits for a lease's end is not done in time.
    let patience = std::time::Duration::from_millis(jobs::LEASE_MS as u64 / 2);
    let mut commits = unprobed.commits();
    tokio::time::timeout(patience, async {
        loop {
            let row = convene_kit::store::get::<Lobbies, _>(unprobed.read(), world.tenant, id);
            let row = row.await.unwrap();
            let left = jobs::open_and_dead(unprobed.read(), world.clock.now());
            let disturbed = probe.fits.load(Ordering::SeqCst) > 0;
            let closed = matches!(row.machine.phase, Phase::Closed { .. });
            if disturbed && closed && left.await.unwrap() == (0, 0) {
                assert_eq!(row.version, 2, "closed once");
                break;
            }
            commits.changed().await.unwrap();
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{} was not disturbed, or left to a lease", probe.what));
    stop.cancel();
    working.await.unwrap().unwrap();
    closer.0.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_failure_before_a_commit_stores_nothing_and_after_it_everything() {
    for (side, version) in [(Side::Before, 1), (Side::After, 2)] {
        let place = Place::sqlite();
        let mut world = World::new(&place).await;
        let id = world.open(world.clock.now()).await;
        let plain = world.db.clone();
        let probe = once(Act::Commit, side, "close", Verdict::Fail);
        world.db = world.db.with_probe(Probed::new("test", Some(probe)));
        let failed = world.close(id, "GONE").await.unwrap_err();
        assert_eq!(failed.reason, "DISTURBED");
        let row = convene_kit::store::get::<Lobbies, _>(plain.read(), world.tenant, id).await;
        assert_eq!(row.unwrap().version, version, "{side:?}");
        let again = world.close(id, "GONE").await;
        assert_eq!(again.unwrap(), 2, "a repeat is harmless");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_taken_back() {
    for side in [Side::Before, Side::After] {
        let acted = closed_under(once(Act::Commit, side, "claim::claim", Verdict::Fail)).await;
        assert_eq!(acted, 1, "{side:?}");
    }
}

#[tokio::test]
async fn a_settling_that_fails_is_done_again_soon() {
    let before = closed_under(once(Act::Commit, Side::Before, "settle", Verdict::Fail)).await;
    assert_eq!(before, 2, "acted again");
    let after = closed_under(once(Act::Commit, Side::After, "settle", Verdict::Fail)).await;
    assert_eq!(after, 1, "it was settled, only nobody knew");
}

#[tokio::test]
async fn an_effect_can_be_acted_twice_before_it_settles() {
    let acted = closed_under(once(
        Act::Effect,
        Side::After,
        "lobby/CloseWhenOver",
        Verdict::Again,
    ));
    assert_eq!(acted.await, 2);
    assert_eq!(convene_domain::lobby::Lobby::KIND, "lobby");
}
