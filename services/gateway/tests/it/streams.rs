//! Operations over SSE.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Booked, World, reason};

const PATIENCE: Duration = Duration::from_secs(20);

/// Reads `(event, data)` pairs.
pub struct Events {
    response: reqwest::Response,
    rest: String,
}

impl Events {
    pub async fn open(world: &World, credential: &str, query: &str, variables: Value) -> Self {
        let request = world.http().post(format!("{}/graphql/stream", world.url));
        let request = request.header("authorization", credential);
        let response = request.body(json!({"query": query, "variables": variables}).to_string());
        let response = response.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            response,
            rest: String::new(),
        }
    }

    /// `None` when the stream is over.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.rest.find("\n\n") {
                let block: String = self.rest.drain(..end + 2).collect();
                let of = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|text| text.trim_start().to_owned())
                };
                if let Some(event) = of("event:") {
                    let data = of("data:").unwrap_or_default();
                    return Some((event, serde_json::from_str(&data).unwrap_or(Value::Null)));
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk());
            let chunk = chunk.await.expect("told in time").ok()??;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn deny(world: &World, booked: &Booked, visit: &Value) {
    let query = "mutation($v: ID!) { denyVisit(input: { visitId: $v }) { visit { state } refusal { reason } } }";
    let denied = world.data(&booked.host, query, json!({ "v": visit })).await;
    assert_eq!(denied["denyVisit"]["visit"]["state"], "DENIED");
}

const VISIT: &str =
    "subscription($after: String) { visit(after: $after) { cursor visit { id state position } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_told_at_once_and_then_what_changes() {
    let world = World::new().await;
    let booked = world.booked().await;
    let (first, second) = (
        world.ticket(&booked, 0).await,
        world.ticket(&booked, 1).await,
    );
    let mut events = Events::open(&world, &second, VISIT, json!({})).await;
    let (kind, now) = events.next().await.unwrap();
    assert_eq!(kind, "next");
    assert_eq!(
        now["data"]["visit"]["visit"]["state"], "EXPECTED",
        "before anything happens"
    );
    world.enter(&first).await;
    world.enter(&second).await;
    let (_, waiting) = events.next().await.unwrap();
    let waiting = &waiting["data"]["visit"];
    assert_eq!(
        (&waiting["visit"]["state"], &waiting["visit"]["position"]),
        (&json!("WAITING"), &json!(2))
    );
    drop(events);

    // Missed while away: told behind the cursor; what was known is not told again.
    let own = world.data(&first, "{ visit { id } }", json!({})).await;
    deny(&world, &booked, &own["visit"]["id"]).await;
    let after = json!({"after": waiting["cursor"]});
    let mut events = Events::open(&world, &second, VISIT, after).await;
    let (_, moved) = events.next().await.unwrap();
    assert_eq!(moved["data"]["visit"]["visit"]["position"], 1);
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_ticket_is_told_nothing_more() {
    let world = World::new().await;
    let booked = world.booked().await;
    let (first, second) = (
        world.ticket(&booked, 0).await,
        world.ticket(&booked, 1).await,
    );
    let mut events = Events::open(&world, &first, VISIT, json!({})).await;
    events.next().await.unwrap();
    let newer = world.ticket(&booked, 0).await;
    world.enter(&second).await;
    let (_, told) = events.next().await.unwrap();
    assert_eq!(reason(&told), "TICKET_REPLACED", "{told}");
    assert!(told["data"].is_null(), "{told}");
    assert_eq!(events.next().await.unwrap().0, "complete");
    assert!(events.next().await.is_none());
    world.enter(&newer).await;
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_gateway() {
    let world = World::new().await;
    let booked = world.booked().await;
    let query = "subscription($id: ID!) { bookingEvents(bookingId: $id) { type } }";
    let mut events = Events::open(&world, &booked.app, query, json!({"id": booked.id})).await;
    events.next().await.unwrap();
    let stopping = tokio::spawn(world.stop());
    while events.next().await.is_some() {}
    let (ended, folder) = stopping.await.unwrap();
    ended.unwrap();
    // Nothing of the gateway holds its database any more.
    let lock = std::fs::File::open(folder.path().join("gateway.lock")).unwrap();
    let patience = tokio::time::Instant::now() + PATIENCE;
    while lock.try_lock().is_err() {
        assert!(tokio::time::Instant::now() < patience, "still held");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_reads_and_never_changes() {
    let world = World::new().await;
    let get = async |query: &str| {
        let url = format!("{}/graphql/stream", world.url);
        let request = world.http().get(url).query(&[("query", query)]);
        let request = request.header("authorization", &world.admin);
        request.send().await.unwrap().text().await.unwrap()
    };
    let answer = get("{ viewer { role } }").await;
    assert!(answer.contains("\"role\":\"ADMIN\""), "{answer}");
    assert!(answer.contains("event: complete"), "{answer}");
    let query = "mutation { createApiKey(input: { name: \"x\", role: ADMIN }) { secret } }";
    let answer = get(query).await;
    assert!(
        answer.contains("POST_REQUIRED") && !answer.contains("cvn_"),
        "{answer}"
    );
    let query = "mutation { createService(input: { idempotencyKey: \"s\", name: \"n\", durationMs: 60000 }) { service { id } } }";
    assert!(get(query).await.contains("POST_REQUIRED"));
    let listed = world.data(&world.admin, "{ services { edges { cursor } } }", json!({}));
    assert_eq!(
        listed.await["services"]["edges"],
        json!([]),
        "nothing was made"
    );
    let bare = world
        .http()
        .get(format!("{}/graphql/stream?variables=x", world.url));
    let bare = bare
        .header("authorization", &world.admin)
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), 400);
    assert_eq!(reason(&bare.json().await.unwrap()), "MALFORMED_ADDRESS");
    world.stop().await.0.unwrap();
}
