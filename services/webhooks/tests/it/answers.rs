//! Receivers that misbehave.

use convene_proto::webhook::v1::{
    self as wire,
    DeliveryState::{Delivered, Failed, Retrying},
};

use crate::{
    HOUR_MS,
    receiver::{Act, Receiver},
    world::{ANSWER_MS, World, refusal, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_instead_of_an_answer_is_tried_again_under_one_id() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, secret) = world.endpoint(&receiver, &["booking.booked"]).await;
    let script = [
        (Act::Status(500), "ANSWERED_WITH_ERROR", 500),
        (Act::Slow(3 * ANSWER_MS), "TIMED_OUT", 0),
        (Act::Redirect, "REDIRECTED", 302),
        (Act::Drop, "CONNECTION_LOST", 0),
        (Act::Status(404), "ANSWERED_WITH_ERROR", 404),
        (Act::Huge, "", 200),
    ];
    receiver.script(&script.map(|(act, ..)| act));
    world.book(&desk).await;
    for attempts in 1..=script.len() {
        let delivery = world.attempted(&endpoint, attempts).await;
        let (act, reason, status) = script[attempts - 1];
        let attempt = delivery.attempts.last().unwrap();
        assert_eq!(
            (attempt.reason.as_str(), attempt.status),
            (reason, status),
            "{act:?}"
        );
        world.advance(7 * HOUR_MS / 2);
    }
    let delivery = &world.settled(&endpoint, Delivered, 1).await[0];
    assert_eq!(
        receiver.seen().len(),
        script.len(),
        "the redirect was not followed"
    );
    assert_eq!(
        receiver.ids(),
        std::collections::BTreeSet::from([delivery.id.clone()])
    );
    assert!(
        receiver
            .seen()
            .iter()
            .all(|seen| seen.is_signed_with(&secret))
    );
    assert_eq!(
        world.get(&endpoint).await.failing_since,
        None,
        "it is well again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.booked"]).await;
    receiver.script(&[Act::RetryAfter(429, 7_200), Act::RetryAfter(503, 10_800)]);
    world.book(&desk).await;
    for (attempts, pause_ms) in [(1, 2 * HOUR_MS), (2, 3 * HOUR_MS)] {
        let delivery = world.attempted(&endpoint, attempts).await;
        assert_eq!(delivery.attempts[attempts - 1].reason, "THROTTLED");
        let next = convene_kit::convert::from_wire(delivery.next_attempt_at.unwrap());
        let tried = convene_kit::convert::from_wire(delivery.attempts[attempts - 1].at.unwrap());
        assert_eq!(next.as_millis() - tried.as_millis(), pause_ms);
        assert!(world.get(&endpoint).await.failing_since.is_some());
        world.advance(pause_ms);
    }
    world.settled(&endpoint, Delivered, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_left_alone_until_it_is_enabled() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.booked"]).await;
    receiver.script(&[Act::Status(410)]);
    world.book(&desk).await;
    let gone = world.settled(&endpoint, Failed, 1).await.remove(0);
    assert_eq!(gone.reason, "GONE");
    let disabled = world.get(&endpoint).await;
    assert_eq!(
        (disabled.enabled, disabled.disabled_reason.as_str()),
        (false, "GONE")
    );
    let redeliver = || {
        world.admin(wire::RedeliverRequest {
            id: gone.id.clone(),
        })
    };
    let refused = world.webhooks().redeliver(redeliver()).await;
    assert_eq!(refusal(refused).0, "ENDPOINT_DISABLED");
    assert_eq!(
        world.deliveries(&endpoint).await[0].state(),
        Failed,
        "a refusal changes nothing"
    );

    let enable = wire::UpdateEndpointRequest {
        id: endpoint.clone(),
        enabled: Some(true),
        ..Default::default()
    };
    let enabled = world
        .webhooks()
        .update_endpoint(world.admin(enable))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (enabled.enabled, enabled.disabled_reason.as_str()),
        (true, "")
    );
    world.webhooks().redeliver(redeliver()).await.unwrap();
    let delivered = world.settled(&endpoint, Delivered, 1).await;
    assert_eq!(delivered[0].id, gone.id);
    assert_eq!(receiver.ids().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_ends_with_its_endpoint() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.booked"]).await;
    receiver.always(Act::Status(500));
    world.book(&desk).await;
    world.settled(&endpoint, Retrying, 1).await;
    let disable = wire::UpdateEndpointRequest {
        id: endpoint.clone(),
        enabled: Some(false),
        ..Default::default()
    };
    world
        .webhooks()
        .update_endpoint(world.admin(disable))
        .await
        .unwrap();
    world.advance(HOUR_MS);
    let ended = world.settled(&endpoint, Failed, 1).await;
    assert_eq!(ended[0].reason, "ENDPOINT_DISABLED");
    assert_eq!(receiver.seen().len(), 1, "nothing more is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_for_five_days_is_disabled() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.booked"]).await;
    receiver.always(Act::Status(500));
    for day in 0..5 {
        world.book(&desk).await;
        until("it was attempted", async || {
            let deliveries = world.deliveries(&endpoint).await;
            let attempted = deliveries
                .iter()
                .filter(|delivery| !delivery.attempts.is_empty());
            (attempted.count() == day + 1).then_some(())
        })
        .await;
        assert!(world.get(&endpoint).await.enabled, "day {day}");
        world.advance(24 * HOUR_MS);
    }
    // The last attempts of the fourth day's event are due.
    let disabled = until("it is disabled", async || {
        let endpoint = world.get(&endpoint).await;
        (!endpoint.enabled).then_some(endpoint)
    });
    assert_eq!(disabled.await.disabled_reason, "FAILING");
}
