//! One operation from outside: who asks, what for, in which trace, over whichever transport.

use std::{sync::Arc, task::Poll};

use async_graphql::{Request, Response};
use convene_kit::{Error, Result, Scope, telemetry};
use futures_util::{Stream, StreamExt as _, stream};
use serde::de::IgnoredAny;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::{
    api::{Api, Session},
    auth,
    loaders::Loaders,
    metrics::{Asked, Open},
    schema::{self, Schema},
    telling::Tellings,
};

/// Characters of an operation's name that a trace shows.
const NAME_CHARS_MAX: usize = 64;
/// Subscriptions and WebSocket connections of the whole gateway.
pub const STREAMS_MAX: usize = 10_000;

/// What every request handler shares.
#[derive(Clone)]
pub struct App {
    pub api: Arc<Api>,
    schema: Schema,
    streams: Arc<Semaphore>,
    pub tellings: Arc<Tellings>,
}

/// An operation that may run: authenticated, with loaders of its own.
pub struct Operation {
    request: Request,
    asked: Asked,
    span: Span,
}

impl App {
    pub fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            schema: schema::build(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            tellings: Arc::default(),
        }
    }

    /// Room for something that lasts; it is free again when the permit is dropped.
    pub fn room(&self) -> Result<(OwnedSemaphorePermit, Open)> {
        let permit = self.streams.clone().try_acquire_owned().map_err(|_full| {
            Error::unavailable(
                "TOO_MANY_STREAMS",
                format!(
                    "the gateway holds {STREAMS_MAX} subscriptions and connections already; try again later"
                ),
            )
        })?;
        Ok((permit, Open::one(&self.api.metrics.streams)))
    }

    /// Authenticates, then makes the operation ready. `traceparent` may be empty.
    pub async fn admit(
        &self,
        request: Request,
        authorization: Option<&str>,
        traceparent: &str,
    ) -> Result<Operation> {
        let session = auth::session(&self.api, authorization).await?;
        Ok(self.ready(request, session, traceparent))
    }

    /// Makes the operation ready for a caller who is known.
    pub fn ready(&self, request: Request, session: Session, traceparent: &str) -> Operation {
        let name = request.operation_name.as_deref().unwrap_or_default();
        let name: String = name.chars().take(NAME_CHARS_MAX).collect();
        let caller = &session.caller;
        let span = telemetry::follow(
            tracing::info_span!(
                "graphql",
                operation = name,
                role = role(&caller.scope),
                principal = %caller.principal,
                otel.kind = "server",
            ),
            traceparent,
        );
        let asked = Asked::default();
        let request = request
            .data(asked.clone())
            .data(Loaders::new(&self.api, &session))
            .data(session)
            .data(self.api.clone());
        Operation {
            request,
            asked,
            span,
        }
    }

    /// Runs a query or mutation.
    pub async fn execute(&self, operation: Operation) -> Response {
        let began = Instant::now();
        let executed = self.schema.execute(operation.request);
        let response = executed.instrument(operation.span).await;
        let metrics = &self.api.metrics;
        metrics.answered(&operation.asked, &response, began.elapsed());
        response
    }

    /// Runs any operation; a subscription ends with the gateway.
    pub fn execute_stream(&self, operation: Operation) -> impl Stream<Item = Response> + use<> {
        let Operation { request, span, .. } = operation;
        let metrics = self.api.metrics.clone();
        let open = Open::one(&metrics.subscriptions);
        let mut responses = self.schema.execute_stream(request).boxed();
        let traced = stream::poll_fn(move |cx| -> Poll<Option<Response>> {
            span.in_scope(|| responses.poll_next_unpin(cx))
        });
        let told = traced.inspect(move |_| {
            // Open until the stream is dropped.
            let _ = &open;
            metrics.delivered.inc();
        });
        told.take_until(self.api.stop.clone().cancelled_owned())
    }
}

/// A caller's role, as `viewer` and traces show it.
pub fn role(scope: &Scope) -> &'static str {
    match scope {
        Scope::Admin => "ADMIN",
        Scope::BookingApp => "BOOKING_APP",
        Scope::Host(_) => "HOST",
        Scope::Guest { .. } => "GUEST",
        Scope::System => "SYSTEM",
    }
}

/// The request of a body.
pub fn parse(body: &[u8]) -> Result<Request> {
    let malformed = |error: serde_json::Error| {
        Error::invalid(
            "body",
            "MALFORMED_JSON",
            format!("the body is not JSON: line {}", error.line()),
        )
    };
    if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice::<IgnoredAny>(body).map_err(malformed)?;
        return Err(Error::invalid(
            "body",
            "BATCH_NOT_ALLOWED",
            "send one operation per request; several fields fit into one operation",
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        if !error.is_data() {
            return malformed(error);
        }
        Error::invalid(
            "body",
            "MALFORMED_REQUEST",
            format!("a request is {{query, variables, operationName}}: {error}"),
        )
    })
}

/// The request of an address: `?query=…&variables=…&operationName=…`.
pub fn parse_address(query: Option<&str>) -> Result<Request> {
    async_graphql::http::parse_query_string(query.unwrap_or_default()).map_err(|_| {
        Error::invalid(
            "query",
            "MALFORMED_ADDRESS",
            "the address is ?query=…&variables=…&operationName=…, each percent-encoded, variables as JSON",
        )
    })
}
