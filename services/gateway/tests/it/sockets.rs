//! graphql-transport-ws.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _},
};

use crate::world::{World, reason};

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

async fn connect(world: &World, protocol: &str) -> Result<Socket, tungstenite::Error> {
    let url = format!("{}/graphql/ws", world.url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", protocol.parse().unwrap());
    Ok(Socket(connect_async(request).await?.0))
}

impl Socket {
    /// A connection that `credential` has opened.
    pub async fn open(world: &World, credential: &str) -> Self {
        let mut socket = connect(world, "graphql-transport-ws").await.unwrap();
        let payload = json!({"authorization": credential});
        socket
            .send(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(socket.next().await.unwrap()["type"], "connection_ack");
        socket
    }

    pub async fn send(&mut self, value: Value) {
        let message = Message::text(value.to_string());
        self.0.send(message).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({"query": query, "variables": variables});
        self.send(json!({"id": id, "type": "subscribe", "payload": payload}))
            .await;
    }

    /// The next message, or the code that closed the connection.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match message.expect("told in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(0, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Err(0),
            }
        }
    }
}

const EVENTS: &str = "subscription($id: ID!) { bookingEvents(bookingId: $id) { type } }";

#[tokio::test(flavor = "multi_thread")]
async fn closes_have_the_codes_of_the_protocol() {
    let world = World::new().await;
    let mut refused = connect(&world, "graphql-transport-ws").await.unwrap();
    let wrong = json!({"authorization": "Ticket forged"});
    refused
        .send(json!({"type": "connection_init", "payload": wrong}))
        .await;
    assert_eq!(refused.next().await.unwrap_err(), 4403);
    let mut hasty = connect(&world, "graphql-transport-ws").await.unwrap();
    hasty.subscribe("1", "{ viewer { role } }", json!({})).await;
    assert!(
        hasty.next().await.is_err(),
        "nothing before connection_init"
    );
    let other = connect(&world, "graphql-ws").await.err().unwrap();
    let tungstenite::Error::Http(response) = other else {
        panic!("{other}");
    };
    assert_eq!(response.status(), 400);
    let mut open = Socket::open(&world, &world.admin).await;
    world.stop().await.0.unwrap();
    assert_eq!(open.next().await.unwrap_err(), 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_of_one_connection_are_bounded_and_given_back() {
    let world = World::new().await;
    let booked = world.booked().await;
    let mut socket = Socket::open(&world, &booked.app).await;
    let id = json!({"id": booked.id});
    for n in 0..20 {
        socket.subscribe(&n.to_string(), EVENTS, id.clone()).await;
    }
    socket.subscribe("more", EVENTS, id.clone()).await;
    let refused = loop {
        let message = socket.next().await.unwrap();
        if message["id"] == "more" {
            break message;
        }
    };
    let errors = match refused["type"].as_str().unwrap() {
        "error" => json!({"errors": refused["payload"]}),
        _ => refused["payload"].clone(),
    };
    assert_eq!(reason(&errors), "TOO_MANY_OPERATIONS", "{refused}");
    socket.send(json!({"id": "7", "type": "complete"})).await;
    socket.subscribe("again", EVENTS, id).await;
    loop {
        let message = socket.next().await.unwrap();
        if message["id"] == "again" {
            assert_eq!(message["type"], "next", "{message}");
            assert!(message["payload"]["errors"].is_null(), "{message}");
            break;
        }
    }
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_is_looked_at_again_for_every_operation() {
    let world = World::new().await;
    let booked = world.booked().await;
    let ticket = world.ticket(&booked, 0).await;
    let mut socket = Socket::open(&world, &ticket).await;
    let query = "{ visit { state } }";
    socket.subscribe("1", query, json!({})).await;
    let seen = socket.next().await.unwrap();
    assert_eq!(seen["payload"]["data"]["visit"]["state"], "EXPECTED");
    assert_eq!(socket.next().await.unwrap()["type"], "complete");
    world.ticket(&booked, 0).await;
    socket.subscribe("2", query, json!({})).await;
    let refused = socket.next().await.unwrap();
    assert!(refused.to_string().contains("TICKET_REPLACED"), "{refused}");
    world.stop().await.0.unwrap();
}

/// Clients of this protocol need not say anything while they wait: pings are answered below it.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_watcher_stays() {
    let world = World::new().await;
    let booked = world.booked().await;
    let ticket = world.ticket(&booked, 0).await;
    let mut socket = Socket::open(&world, &ticket).await;
    let query = "subscription { visit { visit { state } } }";
    socket.subscribe("1", query, json!({})).await;
    let first = socket.next().await.unwrap();
    assert_eq!(first["type"], "next", "{first}");
    // Longer than a connection may take to authenticate.
    let quiet = tokio::time::timeout(Duration::from_secs(11), socket.0.next());
    assert!(quiet.await.is_err(), "nothing is said, nothing is closed");
    world.enter(&ticket).await;
    let told = socket.next().await.unwrap();
    assert_eq!(
        told["payload"]["data"]["visit"]["visit"]["state"],
        "WAITING"
    );
    world.stop().await.0.unwrap();
}
