//! Subscriptions of a connection that are told in common. The rest of the protocol is the engine's.

use std::sync::Arc;

use async_graphql::{Request, Response};
use axum::extract::ws::Message;
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt as _, future,
    stream::{self, BoxStream},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{OPERATIONS_MAX, Operations};
use crate::{auth, error::refused, telling};

/// What the client wants of them.
pub enum Asked {
    Watch(String, Box<Request>),
    Complete(String),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Subscribe { id: String, payload: Box<Request> },
    Complete { id: String },
}

/// A payload of a subscription, `None` when it is over.
pub type Payload = Option<Arc<str>>;

/// Takes what concerns them out of the incoming messages. A connection that is not known yet has none.
pub fn take(
    incoming: impl Stream<Item = Bytes> + Send + 'static,
    operations: &Operations,
) -> (BoxStream<'static, Bytes>, mpsc::Receiver<Asked>) {
    let (ask, asked) = mpsc::channel(OPERATIONS_MAX);
    let operations = operations.clone();
    let rest = incoming.filter_map(move |message| {
        let (ask, operations) = (ask.clone(), operations.clone());
        async move {
            match said(&operations, &message).await {
                Some(Said::Subscribe { id, payload }) => {
                    // Closed with the connection.
                    let _ = ask.send(Asked::Watch(id, payload)).await;
                    None
                }
                Some(Said::Complete { id }) => {
                    let _ = ask.send(Asked::Complete(id)).await;
                    // The operation may be the engine's.
                    Some(message)
                }
                None => Some(message),
            }
        }
    });
    (rest.boxed(), asked)
}

async fn said(operations: &Operations, message: &[u8]) -> Option<Said> {
    let authorization = operations.authorization.get()?;
    let said = serde_json::from_slice(message).ok()?;
    if let Said::Subscribe { payload, .. } = &said {
        let caller = auth::caller(&operations.app.api, authorization.expose_secret());
        let caller = caller.await.ok()?;
        if !telling::is_common(payload, &caller.scope) {
            return None;
        }
    }
    Some(said)
}

impl Operations {
    /// The payloads of a subscription that is told in common.
    pub(super) fn watch(self, request: Box<Request>) -> BoxStream<'static, Payload> {
        let payloads = async move {
            let place = self.place()?;
            let authorization = self.authorization.get().map(|text| text.expose_secret());
            let session = auth::session(&self.app.api, authorization).await?;
            let payloads = telling::watch(self.app, *request, session, self.traceparent)?;
            Ok::<_, convene_kit::Error>(payloads.map(move |payload| {
                // Given back when the operation is over.
                let _ = &place;
                payload
            }))
        };
        let payloads = stream::once(payloads).map(|payloads| match payloads {
            Ok(payloads) => payloads.boxed(),
            Err(error) => stream::once(future::ready(encoded(&refused(error)))).boxed(),
        });
        let over = stream::once(future::ready(None));
        payloads.flatten().map(Some).chain(over).boxed()
    }
}

fn encoded(response: &Response) -> Arc<str> {
    serde_json::to_string(response).unwrap_or_default().into()
}

/// `next` with a payload, or `complete`.
pub fn message(id: &str, payload: Payload) -> Message {
    let id = serde_json::Value::from(id);
    Message::Text(match payload {
        Some(payload) => format!(r#"{{"id":{id},"type":"next","payload":{payload}}}"#).into(),
        None => format!(r#"{{"id":{id},"type":"complete"}}"#).into(),
    })
}
