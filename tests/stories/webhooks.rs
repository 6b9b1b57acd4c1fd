//! I7 for other systems: from bookMeeting to a verified webhook, over the public API only.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use convene_tests::{SetUp, World, reason, until};
use ring::hmac;
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    another_system_is_told_the_whole_story,
    what_was_missed_is_sent_again_on_request,
);
crate::on_replicas!(another_system_is_told_the_whole_story);

/// A booking system that listens.
#[derive(Clone)]
struct Listener {
    answer: Arc<AtomicU16>,
    heard: Arc<Mutex<Vec<Heard>>>,
    url: String,
}

#[derive(Clone)]
struct Heard {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Heard {
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        let tag = BASE64.decode(self.signature.strip_prefix("v1,").unwrap());
        hmac::verify(&key, content.as_bytes(), &tag.unwrap()).is_ok()
    }

    fn body(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn hear(State(listener): State<Listener>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    listener.heard.lock().unwrap().push(Heard {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    StatusCode::from_u16(listener.answer.load(Ordering::SeqCst)).unwrap()
}

impl Listener {
    async fn new() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = Self {
            answer: Arc::new(AtomicU16::new(200)),
            heard: Arc::default(),
            url: format!("http://{}/convene", socket.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/convene", post(hear))
            .with_state(listener.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        listener
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Types of the events about a booking, in the order in which they came.
    fn told(&self, booking: &str) -> Vec<String> {
        let heard = self.heard().into_iter().map(|heard| heard.body());
        let about = heard.filter(|body| body["data"]["bookingId"] == booking);
        about
            .map(|body| body["type"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// An endpoint: its id and secret.
async fn endpoint(world: &World, listener: &Listener) -> (String, String) {
    let query = "mutation($url: String!) { createWebhookEndpoint(input: { idempotencyKey: \"w\", url: $url, description: \"CRM\" }) {
        endpoint { id enabled eventTypes } secret refusal { reason message } } }";
    let made = world
        .admin
        .call(query, json!({ "url": listener.url }))
        .await;
    let made = &made.unwrap()["createWebhookEndpoint"];
    let text = |pointer: &str| {
        made.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    (text("/endpoint/id"), text("/secret"))
}

async fn deliveries(world: &World, endpoint: &str, state: Value) -> Vec<Value> {
    let query = "query($id: ID!, $state: WebhookDeliveryState) { webhookDeliveries(endpointId: $id, state: $state, first: 100) {
        edges { node { id webhookId state reason eventType bookingId seq nextAttemptAt attempts { at statusCode reason durationMs } } } } }";
    let variables = json!({ "id": endpoint, "state": state });
    let listed = world.admin.call(query, variables).await.unwrap();
    let edges = listed["webhookDeliveries"]["edges"]
        .as_array()
        .unwrap()
        .iter();
    edges.map(|edge| edge["node"].clone()).collect()
}

async fn another_system_is_told_the_whole_story(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let listener = Listener::new().await;
    let (endpoint, secret) = endpoint(&world, &listener).await;

    let booked = cast.book(&world, DAY_MS, 2).await;
    let (first, second) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    cast.decide("admitVisit", &first).await;
    cast.decide("denyVisit", &second).await;
    first.join_details().await;
    first.consents(true).await;
    cast.host_does("endMeeting", &booked, "booking { state }")
        .await;
    let expected = [
        "booking.booked",
        "meeting.ready",
        "lobby.opened",
        "visit.expected",
        "visit.arrived",
        "visit.admitted",
        "permit.issued",
        "visit.denied",
        "meeting.join_details_released",
        "permit.redeemed",
        "consent.given",
        "booking.completed",
        "lobby.closed",
        "meeting.ended",
    ];
    until("all of it is told", || async {
        let told = listener.told(&booked.id);
        expected
            .iter()
            .all(|name| told.iter().any(|told| told == name))
            .then_some(())
    })
    .await;
    world.drained().await;
    world.audited().await;

    let heard = listener.heard();
    let ids: BTreeSet<_> = heard.iter().map(|heard| heard.id.clone()).collect();
    assert_eq!(ids.len(), heard.len(), "each event once");
    let all = deliveries(&world, &endpoint, Value::Null).await;
    let known: BTreeSet<_> = all
        .iter()
        .map(|one| one["webhookId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, known);
    assert!(
        all.iter()
            .all(|one| one["state"] == "DELIVERED" && one["attempts"][0]["statusCode"] == 200)
    );
    for heard in heard {
        assert!(heard.is_signed_with(&secret));
        for private in ["Guest 1", "guest.example", "http", &first.ticket] {
            assert!(!heard.body.contains(private), "{}", heard.body);
        }
    }
    // Its ids are those of the API.
    let seen = cast.app.call(
        "query($id: ID!) { booking(id: $id) { state } }",
        json!({ "id": booked.id }),
    );
    assert_eq!(seen.await.unwrap()["booking"]["state"], "COMPLETED");
    world.stop().await;
}

async fn what_was_missed_is_sent_again_on_request(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let listener = Listener::new().await;
    let (endpoint, _) = endpoint(&world, &listener).await;
    listener.answer.store(500, Ordering::SeqCst);
    let since = world.now().await;
    let booked = cast.book(&world, 3 * DAY_MS, 1).await;
    until("it failed", || async {
        (!deliveries(&world, &endpoint, json!("RETRYING"))
            .await
            .is_empty())
        .then_some(())
    })
    .await;
    // A day of attempts later it is given up.
    let failed = until("all are given up", || async {
        world.advance(DAY_MS / 24).await;
        world.drained().await;
        let all = deliveries(&world, &endpoint, Value::Null).await;
        let failed = deliveries(&world, &endpoint, json!("FAILED")).await;
        (failed.len() == all.len()).then_some(failed)
    })
    .await;
    assert!(
        failed
            .iter()
            .all(|one| one["reason"] == "ANSWERED_WITH_ERROR")
    );
    assert!(
        failed
            .iter()
            .all(|one| one["attempts"].as_array().unwrap().len() > 5)
    );

    listener.answer.store(204, Ordering::SeqCst);
    let query = "mutation($id: ID!) { redeliverWebhook(input: { deliveryId: $id }) { delivery { state webhookId } refusal { reason } } }";
    let one = world
        .admin
        .call(query, json!({ "id": failed[0]["id"] }))
        .await
        .unwrap();
    assert_eq!(
        one["redeliverWebhook"]["delivery"]["webhookId"],
        failed[0]["webhookId"]
    );
    let query = "mutation($id: ID!, $since: DateTime!) { redeliverFailed(input: { endpointId: $id, since: $since }) {
        redelivered { count hasMore } refusal { reason } } }";
    let variables = json!({ "id": endpoint, "since": since.to_rfc3339() });
    let rest = world.admin.call(query, variables).await.unwrap();
    assert_eq!(
        rest["redeliverFailed"]["redelivered"]["count"],
        failed.len() - 1
    );
    until("all are delivered", || async {
        let delivered = deliveries(&world, &endpoint, json!("DELIVERED")).await;
        (delivered.len() == failed.len()).then_some(())
    })
    .await;
    let ids: BTreeSet<_> = listener.heard().into_iter().map(|heard| heard.id).collect();
    assert_eq!(ids.len(), failed.len(), "the same ids all the time");
    assert!(
        listener
            .told(&booked.id)
            .iter()
            .any(|name| name == "booking.booked")
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_for_admins_and_refusals_say_what_to_do() {
    let world = World::embedded().await;
    let cast = world.cast().await;
    let listener = Listener::new().await;
    let (id, secret) = endpoint(&world, &listener).await;
    let list = "{ webhookEndpoints { id } }";
    for caller in [&cast.app, &cast.host] {
        let answer = caller.answer(list, json!({})).await.unwrap();
        assert_eq!(convene_tests::fault(&answer), "FORBIDDEN");
    }
    let create = "mutation($url: String!, $types: [String!]!) { createWebhookEndpoint(input: { idempotencyKey: \"x\", url: $url, eventTypes: $types }) {
        endpoint { id } secret refusal { reason field } } }";
    for (url, types, refused, field) in [
        ("https://10.0.0.1/", json!([]), "ADDRESS_REFUSED", "url"),
        ("http://hooks.example/", json!([]), "URL_NOT_HTTPS", "url"),
        (
            "https://hooks.example/",
            json!(["booking.lost"]),
            "EVENT_TYPE_UNKNOWN",
            "eventTypes",
        ),
    ] {
        let answer = world
            .admin
            .call(create, json!({ "url": url, "types": types }))
            .await
            .unwrap();
        assert_eq!(reason(&answer, "createWebhookEndpoint"), refused);
        assert_eq!(answer["createWebhookEndpoint"]["refusal"]["field"], field);
        assert!(answer["createWebhookEndpoint"]["secret"].is_null());
    }
    let rotate = "mutation($id: ID!, $key: String!) { rotateWebhookSecret(input: { idempotencyKey: $key, endpointId: $id }) {
        endpoint { overlapUntil } secret refusal { reason } } }";
    let rotated = world
        .admin
        .call(rotate, json!({ "id": id, "key": "1" }))
        .await
        .unwrap();
    assert_ne!(rotated["rotateWebhookSecret"]["secret"], secret.as_str());
    assert!(rotated["rotateWebhookSecret"]["endpoint"]["overlapUntil"].is_string());
    let again = world
        .admin
        .call(rotate, json!({ "id": id, "key": "2" }))
        .await
        .unwrap();
    assert_eq!(reason(&again, "rotateWebhookSecret"), "ROTATION_RUNNING");
    let node = "query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { url enabled } } }";
    let seen = world.admin.call(node, json!({ "id": id })).await.unwrap();
    assert_eq!(seen["node"]["url"], listener.url.as_str());
    let delete = "mutation($id: ID!) { deleteWebhookEndpoint(input: { endpointId: $id }) { endpoint { enabled } refusal { reason } } }";
    let deleted = world.admin.call(delete, json!({ "id": id })).await.unwrap();
    assert_eq!(
        deleted["deleteWebhookEndpoint"]["endpoint"]["enabled"],
        false
    );
    let listed = world.admin.call(list, json!({})).await.unwrap();
    assert_eq!(listed["webhookEndpoints"], json!([]));
    world.stop().await;
}
