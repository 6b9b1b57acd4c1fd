//! graphql-transport-ws. The credential comes with `connection_init` as `{authorization}`, because browsers cannot set headers here; it
//! is looked at again for every operation.

mod watching;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_graphql::{
    Data, Executor, Request, Response,
    http::{WebSocket, WebSocketProtocols, WsMessage},
};
use axum::extract::{
    State, WebSocketUpgrade,
    ws::{self, CloseFrame, Message},
};
use convene_kit::{Error, Result};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{self, BoxStream},
};
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tokio_stream::StreamMap;
use watching::Asked;

use crate::{
    auth,
    error::{fault, refused},
    operation::App,
    server::{self, BODY_BYTES_MAX},
};

/// The one protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// Operations that one connection has open at a time.
const OPERATIONS_MAX: usize = 20;
/// A connection authenticates within this time, in milliseconds.
const INIT_MS_MAX: u64 = 10_000;
/// Time between two pings, in milliseconds; who answers none of two is gone.
const PING_MS: u64 = 20_000;
/// A message is taken within this time, in milliseconds, or the watcher is gone.
const SEND_MS_MAX: u64 = 30_000;
/// Longest reason of a close frame, in bytes (RFC 6455, section 5.5: 125 less the code).
const REASON_BYTES_MAX: usize = 123;

/// Close codes of the protocol, and RFC 6455's for a server that goes away.
const FORBIDDEN: u16 = 4403;
const INIT_TIMEOUT: u16 = 4408;
const AWAY: u16 = 1001;

/// Opens a connection.
pub async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> axum::response::Response {
    let upgrade = upgrade.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return server::refusal(Error::invalid(
            "sec-websocket-protocol",
            "PROTOCOL_UNSUPPORTED",
            "this speaks graphql-transport-ws; offer it as WebSocket protocol",
        ));
    }
    let room = match app.room() {
        Ok(room) => room,
        Err(error) => return server::refusal(error),
    };
    let operations = Operations {
        app,
        authorization: Arc::default(),
        traceparent: server::traceparent(&headers).into(),
        open: Arc::new(Semaphore::new(OPERATIONS_MAX)),
    };
    upgrade
        .max_message_size(BODY_BYTES_MAX)
        .on_upgrade(async move |socket| {
            serve(socket, operations).await;
            drop(room);
        })
}

/// Runs the operations of one connection, each with a session of its own.
#[derive(Clone)]
struct Operations {
    app: App,
    authorization: Arc<OnceLock<SecretString>>,
    traceparent: Arc<str>,
    open: Arc<Semaphore>,
}

impl Operations {
    async fn run(self, request: Request) -> Result<BoxStream<'static, Response>> {
        let authorization = self.authorization.get().map(|text| text.expose_secret());
        let operation = self
            .app
            .admit(request, authorization, &self.traceparent)
            .await?;
        Ok(self.app.execute_stream(operation).boxed())
    }

    /// Room for one operation more.
    fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.open.clone().try_acquire_owned().map_err(|_full| {
            Error::too_many(
                "TOO_MANY_OPERATIONS",
                format!(
                    "a connection has at most {OPERATIONS_MAX} operations open; complete one first"
                ),
            )
        })
    }
}

impl Executor for Operations {
    async fn execute(&self, request: Request) -> Response {
        let mut responses = self.execute_stream(request, None);
        let nothing = || refused(Error::internal("an operation without answer"));
        responses.next().await.unwrap_or_else(nothing)
    }

    fn execute_stream(
        &self,
        request: Request,
        _session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let place = match self.place() {
            Ok(place) => place,
            Err(error) => return stream::once(async { refused(error) }).boxed(),
        };
        let running = self.clone().run(request);
        let responses = async move {
            match running.await {
                Ok(responses) => responses,
                Err(error) => stream::once(async { refused(error) }).boxed(),
            }
        };
        let responses = stream::once(responses).flatten();
        responses
            .map(move |response| {
                // Given back when the operation is over.
                let _ = &place;
                response
            })
            .boxed()
    }
}

async fn serve(socket: ws::WebSocket, operations: Operations) {
    let stop = operations.app.api.stop.clone();
    let metrics = operations.app.api.metrics.clone();
    let authorization = operations.authorization.clone();
    let api = operations.app.api.clone();
    let (mut sink, incoming) = socket.split();
    let (heard, mut hearing) = watch::channel(());
    let incoming = incoming
        .take_while(|message| std::future::ready(message.is_ok()))
        .filter_map(move |message| {
            heard.send_replace(());
            std::future::ready(match message {
                Ok(Message::Text(text)) => Some(text.into()),
                Ok(Message::Binary(bytes)) => Some(bytes),
                _ => None,
            })
        });
    let (incoming, mut asked) = watching::take(incoming, &operations);
    let mut told = StreamMap::<String, BoxStream<'static, watching::Payload>>::new();
    let watched = operations.clone();
    let kept = authorization.clone();
    let mut outgoing = WebSocket::new(operations, incoming, WebSocketProtocols::GraphQLWS)
        .on_connection_init(move |payload: Value| async move {
            let text = payload.get("authorization").and_then(Value::as_str);
            auth::session(&api, text).await.map_err(fault)?;
            // A second `connection_init` is refused by the protocol.
            let _ = kept.set(SecretString::from(text.unwrap_or_default()));
            Ok(Data::default())
        });
    let init = Instant::now() + Duration::from_millis(INIT_MS_MAX);
    let ping = Duration::from_millis(PING_MS);
    let mut pings = interval_at(Instant::now() + ping, ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unanswered = 0;
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    loop {
        let known = authorization.get().is_some();
        let message = tokio::select! {
            Some((id, payload)) = told.next(), if !told.is_empty() => watching::message(&id, payload),
            Some(asked) = asked.recv() => {
                match asked {
                    Asked::Watch(id, request) => {
                        told.insert(id, watched.clone().watch(request));
                    }
                    Asked::Complete(id) => drop(told.remove(&id)),
                }
                continue;
            }
            message = outgoing.next() => match message {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, reason)) => {
                    close(if known { code } else { refusal_code(code) }, &reason)
                }
                None => return,
            },
            () = sleep_until(init), if !known => {
                close(INIT_TIMEOUT, "Connection initialisation timeout")
            }
            _ = pings.tick() => {
                unanswered = if hearing.has_changed().unwrap_or(false) { 0 } else { unanswered + 1 };
                hearing.mark_unchanged();
                if unanswered > 2 {
                    metrics.slow.inc();
                    return;
                }
                Message::Ping(Default::default())
            }
            () = &mut stopped => close(AWAY, "the gateway stops"),
        };
        let last = matches!(message, Message::Close(_));
        let sent = timeout(Duration::from_millis(SEND_MS_MAX), sink.send(message)).await;
        if sent.is_err() {
            metrics.slow.inc();
        }
        if last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// A refused `connection_init` has a code of its own in the protocol.
fn refusal_code(code: u16) -> u16 {
    const REFUSED_INIT: u16 = 1002;
    if code == REFUSED_INIT {
        FORBIDDEN
    } else {
        code
    }
}

fn close(code: u16, reason: &str) -> Message {
    let end = reason.floor_char_boundary(REASON_BYTES_MAX);
    Message::Close(Some(CloseFrame {
        code,
        reason: reason.get(..end).unwrap_or_default().into(),
    }))
}
