//! I7: subscriptions lose nothing and repeat nothing, however often they break.

use std::time::Duration;

use convene::graphql::Client;
use convene_tests::{SetUp, World};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest as _};

use crate::DAY_MS;

crate::on_every_world!(
    a_subscription_that_breaks_at_random_sees_everything_once,
    a_waiting_guest_is_pushed_position_and_decision,
    graphql_transport_ws_wants_a_credential_first,
);
crate::on_replicas!(
    a_subscription_that_breaks_at_random_sees_everything_once,
    a_waiting_guest_is_pushed_position_and_decision,
);

const EVENTS: &str = "subscription($id: ID!, $after: String) { bookingEvents(bookingId: $id, after: $after) { cursor source objectId type seq } }";

/// A subscription over SSE.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(client: &Client, query: &str, variables: Value) -> Self {
        Self {
            response: client.subscribe(query, variables).await.unwrap(),
            text: String::new(),
        }
    }

    /// The next event's data; `None` when the stream is over.
    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let data = event.lines().find_map(|line| line.strip_prefix("data:"));
                let value = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
                if let Some(data) = value.and_then(|mut value| Some(value.get_mut("data")?.take()))
                {
                    return Some(data);
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// Reads up to `limit` events, or until nothing comes for a while.
async fn read(client: &Client, query: &str, variables: Value, limit: usize) -> Vec<Value> {
    let mut stream = Stream::open(client, query, variables).await;
    let mut events = Vec::new();
    while events.len() < limit {
        let next = tokio::time::timeout(Duration::from_millis(1_500), stream.next());
        let Ok(Some(event)) = next.await else {
            break;
        };
        events.push(event);
    }
    events
}

async fn a_subscription_that_breaks_at_random_sees_everything_once(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 3).await;
    let doing = async {
        for nth in 0..3 {
            let guest = cast.arrive(&booked, nth).await;
            let decision = ["admitVisit", "denyVisit", "admitVisit"][nth];
            cast.decide(decision, &guest).await;
            guest.join_details().await;
        }
        cast.host_does("endMeeting", &booked, "booking { state }")
            .await;
        cast.until(&booked, "/booking/meeting/state", "ENDED").await;
        world.drained().await;
    };
    let watching = async {
        let (mut seen, mut after, mut size) = (Vec::new(), Value::Null, 1);
        loop {
            let variables = json!({"id": booked.id, "after": after});
            let events = read(&cast.app, EVENTS, variables, size).await;
            let Some(last) = events.last() else {
                break seen;
            };
            after = last["bookingEvents"]["cursor"].clone();
            // Breaks after 1, 2, 3, 4, 1 … events.
            size = size % 4 + 1;
            seen.extend(events);
        }
    };
    let ((), seen) = tokio::join!(doing, watching);
    let query =
        "query($id: ID!) { auditTrail(bookingId: $id) { events { source objectId type seq } } }";
    let trail = world
        .admin
        .call(query, json!({"id": booked.id}))
        .await
        .unwrap();
    let key = |event: &Value| {
        let part = |name: &str| event[name].to_string();
        [part("source"), part("objectId"), part("seq"), part("type")].join(" ")
    };
    let mut told: Vec<_> = seen
        .iter()
        .map(|event| key(&event["bookingEvents"]))
        .collect();
    let events = trail["auditTrail"]["events"].as_array().unwrap();
    let mut happened: Vec<_> = events.iter().map(key).collect();
    // Each object's events in their order …
    let mut last = std::collections::HashMap::new();
    for event in &seen {
        let event = &event["bookingEvents"];
        let before = last.insert(
            event["objectId"].to_string(),
            event["seq"].as_u64().unwrap(),
        );
        assert_eq!(
            event["seq"].as_u64().unwrap(),
            before.unwrap_or(0) + 1,
            "I7: order"
        );
    }
    // … and all of them, once.
    told.sort();
    happened.sort();
    assert_eq!(told, happened, "I7: complete");
    world.stop().await;
}

async fn a_waiting_guest_is_pushed_position_and_decision(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    let (first, second) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    let query = "subscription { visit { cursor visit { state position } } }";
    let mut watching = Stream::open(&second.client, query, json!({})).await;
    let mut next = async || watching.next().await.unwrap()["visit"]["visit"].take();
    let before = next().await;
    assert_eq!(
        (&before["state"], &before["position"]),
        (&json!("WAITING"), &json!(2))
    );
    cast.decide("admitVisit", &first).await;
    let ahead = next().await;
    assert_eq!(
        (&ahead["state"], &ahead["position"]),
        (&json!("WAITING"), &json!(1))
    );
    cast.decide("denyVisit", &second).await;
    let after = next().await;
    assert_eq!(after["state"], "DENIED", "I4: told without asking");
    world.stop().await;
}

async fn graphql_transport_ws_wants_a_credential_first(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let open = || async {
        let url = format!("{}/graphql/ws", world.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        tokio_tungstenite::connect_async(request).await.unwrap().0
    };
    let text = |value: Value| tungstenite::Message::text(value.to_string());

    let mut socket = open().await;
    let authorization = format!("Ticket {}", guest.ticket);
    let init = json!({"type": "connection_init", "payload": {"authorization": authorization}});
    socket.send(text(init)).await.unwrap();
    let subscribe = json!({"id": "1", "type": "subscribe", "payload": {"query": "subscription { visit { visit { state } } }"}});
    socket.send(text(subscribe)).await.unwrap();
    let mut types = Vec::new();
    while types.len() < 2 {
        let message = socket.next().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["type"] == "next" {
            assert_eq!(
                message["payload"]["data"]["visit"]["visit"]["state"],
                "WAITING"
            );
        }
        types.push(message["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(types, ["connection_ack", "next"]);

    let mut socket = open().await;
    let init = json!({"type": "connection_init", "payload": {"authorization": "Ticket forged"}});
    socket.send(text(init)).await.unwrap();
    loop {
        match socket.next().await {
            Some(Ok(tungstenite::Message::Close(_))) | None | Some(Err(_)) => break,
            Some(Ok(message)) => assert!(!message.to_string().contains("connection_ack")),
        }
    }
    world.stop().await;
}
