//! HTTP: one place where requests come in, are bounded, authenticated and traced.

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_graphql::{Data, http::ALL_WEBSOCKET_PROTOCOLS};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, WebSocketUpgrade, rejection::BytesRejection},
    response::{
        Html, IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use convene_kit::{Code, Error, Result, telemetry};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::{
    api::{Api, Session},
    artefact, auth,
    error::code,
    loaders::Loaders,
    schema::{self, Schema},
};

/// Request body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Requests that are not answered within this time are given up, in milliseconds.
const REQUEST_MS_MAX: u64 = 30_000;
/// A connection must authenticate within this time, in milliseconds.
const INIT_MS_MAX: u64 = 10_000;
/// Characters of an operation's name that a trace shows.
const NAME_CHARS_MAX: usize = 64;
const EXPLORER: &str = include_str!("explorer.html");

#[derive(Clone)]
struct App {
    api: Arc<Api>,
    schema: Schema,
}

/// Serves until told to stop.
pub async fn serve(listener: TcpListener, api: Arc<Api>, stop: CancellationToken) -> Result<()> {
    let app = App {
        api: api.clone(),
        schema: schema::build(),
    };
    let router = Router::new()
        .route("/graphql", post(query))
        .route("/graphql/stream", post(stream_events))
        .route("/graphql/ws", get(socket))
        .route("/graphiql", get(|| async { Html(EXPLORER) }))
        .route("/schema.graphql", get(|| async { schema::sdl() }))
        .route("/health", get(|| async { "ok" }))
        .with_state(app)
        .merge(
            Router::new()
                .route("/artefacts/{recording}/{segment}", get(artefact::download))
                .with_state(api),
        )
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_| {
            refusal(Error::internal("a request panicked"))
        }));
    // Subscriptions last for ever: they are cut when the gateway stops.
    tokio::select! {
        served = async { axum::serve(listener, router).await } => {
            served.map_err(|error| Error::internal(format!("the gateway stopped: {error}")))
        }
        () = stop.cancelled() => Ok(()),
    }
}

/// The `Authorization` value.
pub fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

/// A failure outside GraphQL, in GraphQL's shape.
pub fn refusal(error: Error) -> Response {
    let status = match error.code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::InvalidArgument | Code::AlreadyExists | Code::Refused => StatusCode::BAD_REQUEST,
    };
    if let Some(detail) = error.detail() {
        tracing::warn!(reason = %error.reason, detail, "a request failed");
    }
    let body = json!({"errors": [{
        "message": error.message,
        "extensions": {"code": code(error.code), "reason": error.reason, "field": error.field},
    }]});
    (status, Json(body)).into_response()
}

/// A request that may run: parsed, authenticated, with its loaders.
async fn admit(
    app: &App,
    headers: &HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Result<(async_graphql::Request, tracing::Span)> {
    let session = session(app, authorization(headers)).await?;
    let body = body.map_err(|_| {
        Error::too_many(
            "BODY_TOO_LARGE",
            format!("a request has at most {BODY_BYTES_MAX} bytes"),
        )
    })?;
    let wrong = |reason, message: &str| Error::invalid("body", reason, message);
    let body: Value = serde_json::from_slice(&body).map_err(|error| {
        wrong(
            "MALFORMED_JSON",
            &format!("the body is not JSON: line {}", error.line()),
        )
    })?;
    if body.is_array() {
        return Err(wrong(
            "BATCH_NOT_ALLOWED",
            "send one operation per request; several fields fit into one operation",
        ));
    }
    let request: async_graphql::Request = serde_json::from_value(body).map_err(|error| {
        wrong(
            "MALFORMED_REQUEST",
            &format!("a request is {{query, variables, operationName}}: {error}"),
        )
    })?;
    let name = request.operation_name.as_deref().unwrap_or_default();
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let traceparent = headers
        .get(telemetry::TRACEPARENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let span = telemetry::follow(
        tracing::info_span!("graphql", operation = name, principal = %session.caller.principal),
        traceparent,
    );
    Ok((with_session(request, app, session), span))
}

fn with_session(
    request: async_graphql::Request,
    app: &App,
    session: Session,
) -> async_graphql::Request {
    request
        .data(Loaders::new(&app.api, &session))
        .data(session)
        .data(app.api.clone())
}

async fn session(app: &App, authorization: Option<&str>) -> Result<Session> {
    let caller = auth::caller(&app.api, authorization).await?;
    Ok(Session::new(caller, app.api.callers.clone()))
}

async fn query(
    State(app): State<App>,
    headers: HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Response {
    let (request, span) = match admit(&app, &headers, body).await {
        Ok(admitted) => admitted,
        Err(error) => return refusal(error),
    };
    let executed = app.schema.execute(request).instrument(span);
    match tokio::time::timeout(Duration::from_millis(REQUEST_MS_MAX), executed).await {
        Ok(response) => Json(response).into_response(),
        Err(_) => refusal(Error::timeout("the request took too long")),
    }
}

/// GraphQL over SSE, one connection per operation (`event: next`, `event: complete`).
async fn stream_events(
    State(app): State<App>,
    headers: HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Response {
    let (request, span) = match admit(&app, &headers, body).await {
        Ok(admitted) => admitted,
        Err(error) => return refusal(error),
    };
    let responses = span.in_scope(|| app.schema.execute_stream(request));
    Sse::new(as_events(responses))
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn as_events(
    responses: impl Stream<Item = async_graphql::Response>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let next = responses.map(|response| {
        let text = serde_json::to_string(&response).unwrap_or_default();
        Ok(Event::default().event("next").data(text))
    });
    next.chain(stream::once(async {
        Ok(Event::default().event("complete").data(""))
    }))
}

/// graphql-transport-ws; the credential comes with `connection_init` as `{authorization}`, because browsers cannot set headers here.
async fn socket(
    State(app): State<App>,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(BODY_BYTES_MAX)
        .protocols(ALL_WEBSOCKET_PROTOCOLS)
        .on_upgrade(move |stream| async move {
            let schema = app.schema.clone();
            GraphQLWebSocket::new(stream, schema, protocol)
                .keepalive_timeout(Duration::from_millis(INIT_MS_MAX))
                .on_connection_init(move |payload: Value| async move {
                    let authorization = payload.get("authorization").and_then(Value::as_str);
                    let session = session(&app, authorization)
                        .await
                        .map_err(crate::error::fault)?;
                    let mut data = Data::default();
                    data.insert(Loaders::new(&app.api, &session));
                    data.insert(session);
                    data.insert(app.api.clone());
                    Ok(data)
                })
                .serve()
                .await;
        })
}
