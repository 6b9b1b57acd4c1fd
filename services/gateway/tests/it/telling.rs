//! Watchers who are told in common, over graphql-transport-ws.

use serde_json::{Value, json};

use crate::{
    sockets::Socket,
    world::{Booked, World, reason, text},
};

const EVENTS: &str = "subscription($id: ID!, $after: String) { bookingEvents(bookingId: $id, after: $after) { cursor type objectId seq } }";

/// So many messages of one watcher, without the id of its operation.
async fn told(socket: &mut Socket, messages: usize) -> Vec<Value> {
    let mut told = Vec::new();
    while told.len() < messages {
        let message = socket.next().await.unwrap();
        assert_eq!(message["type"], "next", "{message}");
        let event = &message["payload"]["data"]["bookingEvents"];
        assert!(event["cursor"].is_string(), "{message}");
        told.push(event.clone());
    }
    told
}

async fn watch(
    world: &World,
    credential: &str,
    id: &str,
    booked: &Booked,
    after: &Value,
) -> Socket {
    let mut socket = Socket::open(world, credential).await;
    let variables = json!({"id": booked.id, "after": after});
    socket.subscribe(id, EVENTS, variables).await;
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_watcher_comes_it_is_told_everything_once() {
    let world = World::new().await;
    let booked = world.booked().await;
    let (first, second) = (
        world.ticket(&booked, 0).await,
        world.ticket(&booked, 1).await,
    );
    let all = Value::Null;
    // Two at the start, one of them with rights of its own; one when it has begun; one behind a cursor.
    let mut early = watch(&world, &booked.app, "1", &booked, &all).await;
    let mut admin = watch(&world, &world.admin, "x", &booked, &all).await;
    let before = told(&mut early, 4).await;
    assert_eq!(told(&mut admin, 4).await.len(), 4);
    let mut late = watch(&world, &booked.app, "2", &booked, &all).await;
    assert_eq!(told(&mut late, 4).await.len(), 4);
    let mut resumed = watch(&world, &booked.app, "3", &booked, &before[3]["cursor"]).await;
    world.enter(&first).await;
    let entered = told(&mut early, 1).await.remove(0);
    assert_eq!(entered["type"], "GuestArrived");
    for watcher in [&mut admin, &mut late, &mut resumed] {
        let seen = told(watcher, 1).await.remove(0);
        assert_eq!(seen["objectId"], entered["objectId"]);
    }
    // Who completes leaves the others.
    early.send(json!({"id": "1", "type": "complete"})).await;
    world.enter(&second).await;
    for watcher in [&mut admin, &mut late, &mut resumed] {
        let seen = told(watcher, 1).await.remove(0);
        assert_ne!(seen["objectId"], entered["objectId"]);
    }
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_takes_its_own_watcher_only() {
    let world = World::new().await;
    let booked = world.booked().await;
    let ticket = world.ticket(&booked, 0).await;
    let make = "mutation { createApiKey(input: { name: \"a\", role: BOOKING_APP }) { secret apiKey { id } } }";
    let made = world.data(&world.admin, make, json!({})).await;
    let key = format!("Bearer {}", text(&made, "/createApiKey/secret"));
    let id = text(&made, "/createApiKey/apiKey/id");
    // The one that is revoked leads.
    let mut revoked = watch(&world, &key, "1", &booked, &Value::Null).await;
    let mut kept = watch(&world, &booked.app, "1", &booked, &Value::Null).await;
    told(&mut revoked, 4).await;
    told(&mut kept, 4).await;
    let revoke =
        "mutation($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { refusal { reason } } }";
    let done = world.data(&world.admin, revoke, json!({"id": id})).await;
    assert!(done["revokeApiKey"]["refusal"].is_null(), "{done}");
    world.enter(&ticket).await;
    assert_eq!(told(&mut kept, 1).await[0]["type"], "GuestArrived");
    let last = revoked.next().await.unwrap();
    assert!(!reason(&last["payload"]).is_empty(), "{last}");
    assert!(last["payload"]["data"].is_null(), "{last}");
    assert_eq!(revoked.next().await.unwrap()["type"], "complete");
    world.stop().await.0.unwrap();
}
