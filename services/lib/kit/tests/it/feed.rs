//! Feeds: served by a role, followed with a durable cursor.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use convene_kit::{
    Caller, Clock, Context, Deps, Error, KeyScope, Role, Scope,
    caller::Callers,
    feed::{Apply, Follower, follow},
    local,
};
use convene_proto::event::v1::{ReadRequest, events_client::EventsClient};
use ring::hmac;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use convene_scratch::Place;

use crate::world::World;

convene_scratch::contract!(
    a_follower_applies_everything_once_over_restarts_and_passes_refusals_by,
    a_tenant_reads_its_own_log_only,
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
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let kept = seen.clone();
    let apply: Apply = Arc::new(move |_tx, _origin, fact| {
        let kept = kept.clone();
        Box::pin(async move {
            kept.lock().unwrap().push(fact.position);
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
    for round in 1..=4u64 {
        let stop = CancellationToken::new();
        let following = tokio::spawn(follow(follower.clone(), stop.clone()));
        for _ in 0..10 {
            below.open(below.clock.now().plus_millis(60_000)).await;
        }
        let patience = tokio::time::Instant::now() + Duration::from_secs(10);
        while seen.lock().unwrap().last() != Some(&(round * 10)) {
            assert!(tokio::time::Instant::now() < patience);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        following.await.unwrap().unwrap();
    }
    // The last event may be applied again when the stop came between applying and remembering; nothing else, and in order.
    let mut seen = seen.lock().unwrap().clone();
    seen.dedup();
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
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
