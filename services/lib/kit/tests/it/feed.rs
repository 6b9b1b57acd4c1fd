//! Feeds: served by a role, followed with a durable cursor.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use convene_domain::BookingId;
use convene_kit::{
    Caller, Channel, Clock, Context, Deps, Error, KeyScope, Role, Scope,
    caller::Callers,
    feed::{Apply, Follower, follow},
    local,
    probe::{Act, Point, Probe, Probed, Side, Verdict},
    store,
};
use convene_proto::event::v1::{ReadRequest, events_client::EventsClient};
use ring::hmac;
use tokio_util::sync::CancellationToken;

use convene_scratch::Place;

use crate::{
    followers::{applied_once, follower},
    world::{Lobbies, World},
};

convene_scratch::contract!(
    a_follower_applies_everything_once_over_restarts_and_passes_refusals_by,
    a_tenant_reads_its_own_log_only,
    what_waits_is_applied_in_few_changes,
);

pub fn callers(clock: &Clock) -> Callers {
    Callers::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), clock.clone())
}

pub async fn served(world: &World) -> (Channel, CancellationToken) {
    let deps = Deps {
        db: world.db.clone(),
        clock: world.clock.clone(),
        callers: callers(&world.clock),
    };
    let (channel, incoming) = local::pipe();
    let stop = CancellationToken::new();
    let role = Role::new("below", deps).await.unwrap();
    tokio::spawn(role.run(incoming, stop.clone()));
    (channel, stop)
}

async fn a_follower_applies_everything_once_over_restarts_and_passes_refusals_by(place: Place) {
    let below = World::new(&place).await;
    let above = World::named(&place, "above").await;
    let (channel, stop_below) = served(&below).await;
    // Signs what it opens with the fact's position, and refuses every fifth.
    let apply: Apply = Arc::new(move |tx, mut origin, fact| {
        Box::pin(async move {
            let id = uuid::Uuid::now_v7();
            origin.actor = fact.position.to_string();
            let event = World::opened(BookingId::from_uuid(id), origin.now);
            store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await?;
            match fact.position % 5 {
                0 => Err(Error::refused("DOES_NOT_FIT", "no")),
                _ => Ok(()),
            }
        })
    });
    let follower = Follower {
        db: above.db.clone(),
        clock: above.clock.clone(),
        callers: callers(&above.clock),
        role: "above",
        source: "below",
        channel,
        apply,
    };
    for round in 1..=4 {
        // They wait when the follower comes: then they come together.
        for _ in 0..10 {
            below.open(below.clock.now().plus_millis(60_000)).await;
        }
        below.placed(round * 10).await;
        let stop = CancellationToken::new();
        let following = tokio::spawn(follow(follower.clone(), stop.clone()));
        above.placed(round * 8).await;
        stop.cancel();
        following.await.unwrap().unwrap();
    }
    let seen = above.placed(32).await.into_iter();
    let seen: Vec<u64> = seen.map(|event| event.actor.parse().unwrap()).collect();
    let wanted: Vec<_> = (1..=40).filter(|position| position % 5 != 0).collect();
    assert_eq!(seen, wanted);
    stop_below.cancel();
}

/// Counts the changes that were begun.
#[derive(Default)]
struct Commits(AtomicUsize);

#[async_trait]
impl Probe for Commits {
    async fn at(&self, point: Point) -> Verdict {
        if point.act == Act::Commit && point.side == Side::Before {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Verdict::Pass
    }
}

async fn what_waits_is_applied_in_few_changes(place: Place) {
    const FACTS: usize = 200;
    let below = World::new(&place).await;
    let above = World::named(&place, "above").await;
    let (channel, stop_below) = served(&below).await;
    for _ in 0..FACTS {
        below.open(below.clock.now().plus_millis(60_000)).await;
    }
    below.placed(FACTS).await;
    let probe = Arc::new(Commits::default());
    let mut follower = follower(&above, &channel);
    follower.db = follower
        .db
        .with_probe(Probed::new("above", Some(probe.clone())));
    let stop = CancellationToken::new();
    let following = tokio::spawn(follow(follower, stop.clone()));
    applied_once(&above, FACTS).await;
    let changes = probe.0.load(Ordering::SeqCst);
    assert!(changes < FACTS / 4, "{changes} changes for {FACTS} facts");
    stop.cancel();
    following.await.unwrap().unwrap();
    stop_below.cancel();
}

async fn a_tenant_reads_its_own_log_only(place: Place) {
    let world = World::new(&place).await;
    world.open(world.clock.now()).await;
    world.placed(1).await;
    let (channel, stop) = served(&world).await;
    let callers = callers(&world.clock);
    let read = |caller: Option<Caller>| {
        let (channel, callers) = (channel.clone(), callers.clone());
        async move {
            let message = ReadRequest::default();
            let request = match caller {
                Some(caller) => Context::begin(caller).request(&callers, message).unwrap(),
                None => tonic::Request::new(message),
            };
            let read = EventsClient::new(channel).read(request).await;
            read.map(|page| page.into_inner().events.len())
                .map_err(Error::from)
        }
    };
    let admin = |tenant| Caller::new(tenant, Scope::Admin, "key:test");
    assert_eq!(read(Some(admin(world.tenant))).await.unwrap(), 1);
    let foreign = convene_domain::TenantId::from_uuid(uuid::Uuid::now_v7());
    assert_eq!(read(Some(admin(foreign))).await.unwrap(), 0);
    let narrowed = Caller {
        narrowed: Some([KeyScope::Admin].into_iter().collect()),
        ..admin(world.tenant)
    };
    let narrowed = read(Some(narrowed)).await.unwrap_err();
    assert_eq!(narrowed.reason, "SCOPE_MISSING");
    assert_eq!(read(None).await.unwrap_err().reason, "CALLER_UNKNOWN");
    stop.cancel();
}
