//! A bare broadcast: what is posted goes to every WebSocket, the bytes shared.

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::{get, post},
};
use tokio::sync::broadcast;

/// Messages that wait for a slow watcher.
const WAITING: usize = 1_024;

type Channel = broadcast::Sender<Utf8Bytes>;

pub fn router() -> Router {
    let (channel, _) = broadcast::channel(WAITING);
    Router::new()
        .route("/publish", post(publish))
        .route("/watch", get(open))
        .with_state(channel)
}

async fn publish(State(channel): State<Channel>, text: String) {
    channel.send(text.into()).unwrap();
}

async fn open(State(channel): State<Channel>, upgrade: WebSocketUpgrade) -> Response {
    let messages = channel.subscribe();
    upgrade
        .protocols(["graphql-transport-ws"])
        .on_upgrade(|socket| watch(socket, messages))
}

async fn watch(mut socket: WebSocket, mut messages: broadcast::Receiver<Utf8Bytes>) {
    while let Ok(text) = messages.recv().await {
        if socket.send(Message::Text(text)).await.is_err() {
            return;
        }
    }
}
