//! What arrives, and for whom.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use convene_domain::TenantId;
use convene_kit::{Scope, convert::to_wire};
use convene_proto::webhook::v1::{
    self as wire,
    DeliveryState::{Delivered, Failed},
};
use uuid::Uuid;

use crate::{
    HOUR_MS,
    receiver::{Act, Receiver},
    world::{World, new_endpoint, refusal, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_arrives_signed_and_without_personal_data() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    world.book(&desk).await;
    // Events of before have passed when the endpoint is made, or are told; from now on none is missing.
    let (endpoint, secret) = world.endpoint(&receiver, &[]).await;
    let booking = world.book(&desk).await;
    let told = |name: &str| {
        let seen = receiver.seen().into_iter();
        let id = BASE64.encode(format!("Booking:{booking}"));
        let mut of = seen.filter(move |seen| seen.body()["data"]["bookingId"] == id.as_str());
        of.find(|seen| seen.kind() == name)
    };
    for name in ["booking.booked", "lobby.opened", "visit.expected"] {
        until(name, async || told(name)).await;
    }
    world.cancel(&desk, &booking).await;
    for name in ["booking.cancelled", "lobby.closed", "visit.timed_out"] {
        until(name, async || told(name)).await;
    }
    let booked = told("booking.booked").unwrap().body();
    let data = &booked["data"];
    assert_eq!(
        (data["objectKind"].as_str(), data["seq"].as_u64()),
        (Some("booking"), Some(1))
    );
    assert_eq!(data["objectId"], data["bookingId"]);
    assert_eq!(
        told("booking.cancelled").unwrap().body()["data"]["reason"],
        "HOST_IS_ILL"
    );
    let now = world.clock.unmoved().as_millis() / 1_000;
    for seen in receiver.seen() {
        assert!(seen.is_signed_with(&secret));
        assert!((now - 60..=now + 1).contains(&seen.timestamp));
        assert_eq!(seen.content_type, "application/json");
        for personal in ["Ada", "guest.example", "desk@", "Front"] {
            assert!(!seen.text.contains(personal), "{}", seen.text);
        }
    }
    let deliveries = until("all are delivered", async || {
        let deliveries = world.deliveries(&endpoint).await;
        let done = deliveries
            .iter()
            .all(|delivery| delivery.state() == Delivered);
        done.then_some(deliveries)
    });
    let ids: std::collections::BTreeSet<_> = deliveries.await.into_iter().map(|d| d.id).collect();
    assert_eq!(ids, receiver.ids(), "one id for each delivery");
    assert_eq!(
        receiver.seen().len(),
        ids.len(),
        "nobody failed, so nothing came twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_wanted_arrives_and_only_at_its_tenant() {
    let world = World::new().await;
    let other = TenantId::from_uuid(Uuid::now_v7());
    let (ours, theirs) = (world.desk(world.tenant).await, world.desk(other).await);
    let (receiver, their_receiver) = (Receiver::new().await, Receiver::new().await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.cancelled"]).await;
    let message = new_endpoint(&their_receiver.url, &["booking.booked"]);
    let request = world.call(other, Scope::Admin, message);
    let made = world.webhooks().create_endpoint(request).await.unwrap();
    let their_endpoint = made.into_inner().endpoint.unwrap().id;

    let their_booking = world.book(&theirs).await;
    let booking = world.book(&ours).await;
    world.cancel(&ours, &booking).await;
    let delivered = world.settled(&endpoint, Delivered, 1).await;
    assert_eq!(delivered[0].event_type, "booking.cancelled");
    until("theirs arrived", async || their_receiver.seen().pop()).await;
    for seen in their_receiver.seen() {
        let id = BASE64.encode(format!("Booking:{their_booking}"));
        assert_eq!(seen.body()["data"]["bookingId"], id.as_str());
    }

    // A foreign endpoint or delivery does not exist.
    let id = delivered[0].id.clone();
    let mut webhooks = world.webhooks();
    let request = |message| world.call(other, Scope::Admin, message);
    let message = wire::GetEndpointRequest {
        id: endpoint.clone(),
    };
    let answer = webhooks
        .get_endpoint(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let message = wire::DeleteEndpointRequest {
        id: endpoint.clone(),
    };
    let answer = webhooks
        .delete_endpoint(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let message = wire::UpdateEndpointRequest {
        id: endpoint.clone(),
        enabled: Some(false),
        ..Default::default()
    };
    let answer = webhooks
        .update_endpoint(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let message = wire::RotateSecretRequest {
        id: endpoint.clone(),
        idempotency_key: "k".into(),
        overlap_ms: 0,
    };
    let answer = webhooks
        .rotate_secret(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let answer = webhooks
        .redeliver(request(wire::RedeliverRequest { id: id.clone() }))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let message = wire::ListDeliveriesRequest {
        endpoint_id: endpoint.clone(),
        ..Default::default()
    };
    let answer = webhooks
        .list_deliveries(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let message = wire::ListDeliveriesRequest {
        endpoint_id: their_endpoint,
        after_id: id.clone(),
        ..Default::default()
    };
    let answer = webhooks
        .list_deliveries(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer), ("NOT_FOUND".into(), "after".into()));
    let since = Some(to_wire(world.clock.now()));
    let message = wire::RedeliverFailedRequest {
        endpoint_id: endpoint.clone(),
        since,
    };
    let answer = webhooks
        .redeliver_failed(world.call(other, Scope::Admin, message))
        .await;
    assert_eq!(refusal(answer).0, "NOT_FOUND");
    let request = world.call(other, Scope::Admin, wire::ListEndpointsRequest {});
    let listed = webhooks.list_endpoints(request).await.unwrap().into_inner();
    assert_eq!(listed.endpoints.len(), 1);
    assert_ne!(listed.endpoints[0].id, endpoint);
    // And it is for admins.
    let request = world.call(
        world.tenant,
        Scope::BookingApp,
        wire::ListEndpointsRequest {},
    );
    assert_eq!(
        refusal(webhooks.list_endpoints(request).await).0,
        "FORBIDDEN"
    );
    assert!(world.get(&endpoint).await.enabled, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_delivered_again_under_its_id() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.booked"]).await;
    receiver.always(Act::Status(500));
    let begun = world.clock.now();
    world.book(&desk).await;
    let mut attempts = 1;
    let mut last = world.attempted(&endpoint, attempts).await;
    // Each retry comes when its time has come, and not before.
    while last.state() != Failed {
        attempts += 1;
        assert!(attempts < 25, "it is given up after a day");
        let due = convene_kit::convert::from_wire(last.next_attempt_at.unwrap());
        world.advance(due.as_millis() - world.clock.now().as_millis() - 1_000);
        assert_eq!(receiver.seen().len(), attempts - 1);
        world.advance(1_001);
        last = world.attempted(&endpoint, attempts).await;
    }
    let took = world.clock.now().as_millis() - begun.as_millis();
    assert!((24 * HOUR_MS..25 * HOUR_MS).contains(&took), "{took}");
    assert_eq!(last.reason, "ANSWERED_WITH_ERROR");
    assert!(attempts > 8, "{attempts}");
    assert_eq!(receiver.ids().len(), 1, "one id for all attempts");
    let bodies: std::collections::BTreeSet<_> =
        receiver.seen().into_iter().map(|s| s.text).collect();
    assert_eq!(bodies.len(), 1, "the same bytes");

    receiver.always(Act::Status(204));
    let since = Some(to_wire(begun));
    let message = wire::RedeliverFailedRequest {
        endpoint_id: endpoint.clone(),
        since,
    };
    let again = world
        .webhooks()
        .redeliver_failed(world.admin(message))
        .await;
    let again = again.unwrap().into_inner();
    assert_eq!((again.count, again.has_more), (1, false));
    world.settled(&endpoint, Delivered, 1).await;
    // Also what was delivered can be had once more.
    let id = last.id.clone();
    world
        .webhooks()
        .redeliver(world.admin(wire::RedeliverRequest { id }))
        .await
        .unwrap();
    let last = world.attempted(&endpoint, attempts + 2).await;
    assert_eq!(last.state(), Delivered);
    assert_eq!(receiver.ids().into_iter().collect::<Vec<_>>(), [last.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_long_over_is_forgotten_and_the_rest_stays_whole() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world.endpoint(&receiver, &["booking.booked"]).await;
    for _ in 0..3 {
        world.book(&desk).await;
    }
    world.settled(&endpoint, Delivered, 3).await;
    world.advance(30 * 24 * HOUR_MS - 60_000);
    world.book(&desk).await;
    world.settled(&endpoint, Delivered, 4).await;
    world.advance(60_000);
    world.book(&desk).await;
    let left = world.settled(&endpoint, Delivered, 2).await;
    assert_eq!(left.len(), 2, "the first three are forgotten");
}
