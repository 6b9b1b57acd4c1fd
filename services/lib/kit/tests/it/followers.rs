//! Followers of several replicas: whoever follows, every fact is applied once and in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use convene_domain::BookingId;
use convene_kit::{
    Channel, Result, Tx,
    feed::{Apply, Follower, follow},
    probe::{Act, Point, Probe, Probed, Side, Verdict},
    store,
};
use convene_scratch::{Place, on_postgres};
use sea_orm::ConnectionTrait as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    feed::{callers, served},
    world::{Lobbies, World},
};

convene_scratch::contract!(what_another_replica_applied_meanwhile_is_passed_by);

/// Opens a lobby of its own for each fact and signs it with the fact's position.
fn open_for_each() -> Apply {
    Arc::new(|tx, mut origin, fact| {
        Box::pin(async move {
            let booking = BookingId::from_uuid(Uuid::from_u128(u128::from(fact.position)));
            // Another id each time, so that a second application is seen and not refused.
            let id = Uuid::now_v7();
            origin.actor = format!("position:{}", fact.position);
            let event = World::opened(booking, origin.now);
            store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await?;
            Ok(())
        })
    })
}

pub fn follower(above: &World, channel: &Channel) -> Follower {
    Follower {
        db: above.db.clone(),
        clock: above.clock.clone(),
        callers: callers(&above.clock),
        role: "above",
        source: "below",
        channel: channel.clone(),
        apply: open_for_each(),
    }
}

pub async fn applied_once(above: &World, facts: usize) {
    let events = above.placed(facts).await;
    // What a second follower would still bring.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let actors: Vec<_> = above
        .placed(facts)
        .await
        .into_iter()
        .map(|event| event.actor)
        .collect();
    let wanted: Vec<_> = (1..=facts).map(|n| format!("position:{n}")).collect();
    assert_eq!(actors, wanted);
    assert_eq!(events.len(), facts);
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_overs_of_a_follower_repeat_nothing_and_leave_nothing_out() {
    on_postgres(|place: Place| async move {
        const FACTS: usize = 150;
        let below = World::named(&place, "below").await;
        let (channel, stop_below) = served(&below).await;
        let above = World::new(&place).await;
        let replica = above.replica(&place).await;
        let stop = CancellationToken::new();
        let following = [&above, &replica]
            .map(|world| tokio::spawn(follow(follower(world, &channel), stop.clone())));
        for n in 0..FACTS {
            below.open(below.clock.now()).await;
            if n % 40 == 20 {
                let lease = "lobby_manager/lease/follow/below";
                place.server().unwrap().end_holder(lease).await;
            }
        }
        applied_once(&above, FACTS).await;
        stop.cancel();
        for follows in following {
            follows.await.unwrap().unwrap();
        }
        stop_below.cancel();
    })
    .await;
}

/// Waits at the first fact until told to go on.
#[derive(Default)]
struct Pause {
    reached: Notify,
    go_on: Notify,
    facts: AtomicUsize,
}

#[async_trait]
impl Probe for Pause {
    async fn at(&self, point: Point) -> Verdict {
        let fact = point.act == Act::Fact && point.side == Side::Before;
        if fact && self.facts.fetch_add(1, Ordering::SeqCst) == 0 {
            self.reached.notify_one();
            self.go_on.notified().await;
        }
        Verdict::Pass
    }
}

async fn what_another_replica_applied_meanwhile_is_passed_by(place: Place) {
    const FACTS: usize = 10;
    let below = World::named(&place, "below").await;
    let (channel, stop_below) = served(&below).await;
    let mut above = World::new(&place).await;
    let other = above.clone();
    let pause = Arc::new(Pause::default());
    above.db = above
        .db
        .with_probe(Probed::new("above", Some(pause.clone())));
    let stop = CancellationToken::new();
    let following = tokio::spawn(follow(follower(&above, &channel), stop.clone()));
    for _ in 0..FACTS {
        below.open(below.clock.now()).await;
    }
    pause.reached.notified().await;
    // As if a lease had been lost unawares: the other one has come to the fourth fact.
    let moved = other.db.write(|tx| Box::pin(move_cursor(tx)));
    moved.await.unwrap();
    pause.go_on.notify_one();
    let events = other.placed(FACTS - 4).await;
    let actors: Vec<_> = events.into_iter().map(|event| event.actor).collect();
    let wanted: Vec<_> = (5..=FACTS).map(|n| format!("position:{n}")).collect();
    assert_eq!(actors, wanted);
    stop.cancel();
    following.await.unwrap().unwrap();
    stop_below.cancel();
}

async fn move_cursor(tx: &Tx) -> Result<()> {
    tx.execute_unprepared("UPDATE feed_cursor SET position = 4")
        .await?;
    Ok(())
}
