//! Endpoints and their secrets.

use convene_kit::convert::from_wire;
use convene_proto::webhook::v1::{self as wire, DeliveryState::Delivered};
use convene_webhooks::ENDPOINTS_MAX;

use crate::{
    HOUR_MS,
    receiver::Receiver,
    world::{World, new_endpoint, refusal},
};

fn rotation(id: &str, key: &str, overlap_ms: i64) -> wire::RotateSecretRequest {
    wire::RotateSecretRequest {
        idempotency_key: key.into(),
        id: id.into(),
        overlap_ms,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_sign_while_a_rotation_overlaps() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, old) = world.endpoint(&receiver, &["booking.booked"]).await;
    let rotate = async |key: &str, overlap_ms| {
        let message = rotation(&endpoint, key, overlap_ms);
        world.webhooks().rotate_secret(world.admin(message)).await
    };
    let rotated = rotate("r1", 24 * HOUR_MS).await.unwrap().into_inner();
    let new = rotated.secret;
    let until = from_wire(rotated.endpoint.unwrap().overlap_until.unwrap());
    assert!((until.as_millis() - world.clock.now().as_millis() - 24 * HOUR_MS).abs() < 60_000);
    assert_ne!(old, new);
    // An answer that was lost is had again; another wish would end the old one too early.
    let repeated = rotate("r1", 24 * HOUR_MS).await.unwrap().into_inner();
    assert_eq!(repeated.secret, new);
    assert_eq!(
        refusal(rotate("r2", 24 * HOUR_MS).await).0,
        "ROTATION_RUNNING"
    );
    assert_eq!(
        refusal(rotate("r3", 24 * HOUR_MS + 1).await),
        ("OUT_OF_RANGE".into(), "overlapMs".into())
    );

    world.book(&desk).await;
    world.settled(&endpoint, Delivered, 1).await;
    let seen = receiver.seen().pop().unwrap();
    assert_eq!(seen.signature.split(' ').count(), 2);
    assert!(seen.is_signed_with(&old) && seen.is_signed_with(&new));

    world.advance(24 * HOUR_MS);
    world.book(&desk).await;
    world.settled(&endpoint, Delivered, 2).await;
    let seen = receiver.seen().pop().unwrap();
    assert!(!seen.is_signed_with(&old) && seen.is_signed_with(&new));
    assert_eq!(world.get(&endpoint).await.overlap_until, None);

    // A secret that leaked goes at once.
    let last = rotate("r4", 0).await.unwrap().into_inner().secret;
    world.book(&desk).await;
    world.settled(&endpoint, Delivered, 3).await;
    let seen = receiver.seen().pop().unwrap();
    assert!(!seen.is_signed_with(&new) && seen.is_signed_with(&last));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_makes_one_endpoint() {
    let world = World::new().await;
    let message = new_endpoint(
        "http://127.0.0.1:9999/",
        &["visit.left", "visit.arrived", "visit.left"],
    );
    let create = async |message| world.webhooks().create_endpoint(world.admin(message)).await;
    let made = create(message.clone()).await.unwrap().into_inner();
    assert_eq!(
        made.clone(),
        create(message.clone()).await.unwrap().into_inner()
    );
    assert_eq!(
        made.endpoint.unwrap().event_types,
        ["visit.arrived", "visit.left"]
    );
    let mut other = message;
    other.description = "another".into();
    assert_eq!(
        refusal(create(other).await),
        ("IDEMPOTENCY_KEY_REUSED".into(), "idempotencyKey".into())
    );
    let request = world.admin(wire::ListEndpointsRequest {});
    let listed = world.webhooks().list_endpoints(request).await.unwrap();
    assert_eq!(listed.into_inner().endpoints.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_endpoints_are_refused_by_field() {
    let world = World::with(false).await;
    let create = async |url: &str, types: &[&str]| {
        let message = new_endpoint(url, types);
        refusal(world.webhooks().create_endpoint(world.admin(message)).await)
    };
    for (url, reason) in [
        ("", "MALFORMED_URL"),
        ("http://example.com/", "URL_NOT_HTTPS"),
        ("https://a:b@example.com/", "URL_WITH_CREDENTIALS"),
        ("https://example.com:25/", "PORT_REFUSED"),
        ("https://127.0.0.1/", "ADDRESS_REFUSED"),
        ("https://[::ffff:10.0.0.1]/", "ADDRESS_REFUSED"),
        ("https://169.254.169.254/", "ADDRESS_REFUSED"),
    ] {
        assert_eq!(
            create(url, &[]).await,
            (reason.into(), "url".into()),
            "{url}"
        );
    }
    let unknown = create("https://example.com/", &["booking.booked", "booking.*"]).await;
    assert_eq!(unknown, ("EVENT_TYPE_UNKNOWN".into(), "eventTypes".into()));
    let mut message = new_endpoint("https://example.com/", &[]);
    message.description = "x".repeat(201);
    let answer = world.webhooks().create_endpoint(world.admin(message)).await;
    assert_eq!(refusal(answer), ("TOO_LONG".into(), "description".into()));

    let mut made = Vec::new();
    for _ in 0..ENDPOINTS_MAX {
        let message = new_endpoint("https://example.com/", &[]);
        let answer = world.webhooks().create_endpoint(world.admin(message)).await;
        made.push(answer.unwrap().into_inner().endpoint.unwrap().id);
    }
    assert_eq!(
        create("https://example.com/", &[]).await.0,
        "TOO_MANY_ENDPOINTS"
    );
    let update = wire::UpdateEndpointRequest {
        id: made[0].clone(),
        url: Some("https://10.0.0.1/".into()),
        ..Default::default()
    };
    let answer = world.webhooks().update_endpoint(world.admin(update)).await;
    assert_eq!(refusal(answer), ("ADDRESS_REFUSED".into(), "url".into()));
    let delete = || {
        world.admin(wire::DeleteEndpointRequest {
            id: made[0].clone(),
        })
    };
    world.webhooks().delete_endpoint(delete()).await.unwrap();
    assert_eq!(
        refusal(world.webhooks().delete_endpoint(delete()).await).0,
        "NOT_FOUND"
    );
    let message = new_endpoint("https://example.com/", &[]);
    world
        .webhooks()
        .create_endpoint(world.admin(message))
        .await
        .unwrap();
}
