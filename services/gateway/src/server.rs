//! HTTP: where requests come in and are bounded.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery, State, rejection::BytesRejection},
    middleware::{self, Next},
    response::{
        Html, IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post, put},
    serve::ListenerExt as _,
};
use convene_kit::{Code, Error, Result, telemetry};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api::{Api, ReadOnly},
    artefact,
    error::code,
    module,
    operation::{self, App, Operation},
    pages, schema, socket,
};

/// Request body, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// A request whose answer has not begun within this time is given up, in milliseconds; reading its body counts.
const REQUEST_MS_MAX: u64 = 30_000;
/// How long running requests may go on after the wish to stop, in milliseconds.
const GRACE_MS: u64 = 1_000;
const EXPLORER: &str = include_str!("explorer.html");

/// A body that may be too large.
type Body = std::result::Result<Bytes, BytesRejection>;

/// Serves until told to stop.
pub async fn serve(listener: TcpListener, api: Arc<Api>, stop: CancellationToken) -> Result<()> {
    let router = router(api.clone());
    // Answers and events are small and must not wait for more.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let stopping = api.stop.clone();
    let stopped = stop.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        stopped.cancelled().await;
        stopping.cancel();
    });
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_millis(GRACE_MS)).await;
    };
    // Also when this is dropped: nothing lasts longer than the gateway.
    let _end = api.stop.clone().drop_guard();
    tokio::select! {
        served = serving.into_future() => {
            served.map_err(|error| Error::internal(format!("the gateway stopped: {error}")))
        }
        () = patience => Ok(()),
    }
}

fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/graphql", post(query))
        .route(
            "/graphql/stream",
            get(stream_of_address).post(stream_of_body),
        )
        .route("/graphql/ws", get(socket::open))
        .route("/graphiql", get(|| async { Html(EXPLORER) }))
        .route("/schema.graphql", get(|| async { schema::sdl() }))
        .route("/health", get(|| async { "ok" }))
        .with_state(App::new(api.clone()))
        .merge(
            Router::new()
                .route("/artefacts/{recording}/{segment}", get(artefact::download))
                .route("/plugins/modules/{digest}", put(module::upload))
                .with_state(api.clone()),
        )
        .merge(pages::routes(api))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(in_time))
        .layer(CatchPanicLayer::custom(|_| {
            refusal(Error::internal("a request panicked"))
        }))
}

async fn in_time(request: axum::extract::Request, next: Next) -> Response {
    let patience = Duration::from_millis(REQUEST_MS_MAX);
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refusal(Error::timeout("the request took too long")),
    }
}

/// The `Authorization` value.
pub fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

/// The trace that the caller is in; empty for none.
pub fn traceparent(headers: &HeaderMap) -> &str {
    headers
        .get(telemetry::TRACEPARENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
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

async fn of_body(app: &App, headers: &HeaderMap, body: Body) -> Result<Operation> {
    let body = body.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::too_many(
            "BODY_TOO_LARGE",
            format!("a request has at most {BODY_BYTES_MAX} bytes"),
        ),
        _ => Error::invalid(
            "body",
            "BODY_CUT_OFF",
            "the body ended early; send it again",
        ),
    });
    let request = body.and_then(|body| operation::parse(&body));
    // Strangers learn nothing, not even what is wrong with their request.
    let (request, wrong) = match request {
        Ok(request) => (request, None),
        Err(error) => (async_graphql::Request::new(""), Some(error)),
    };
    let admitted = app
        .admit(request, authorization(headers), traceparent(headers))
        .await?;
    wrong.map_or(Ok(admitted), Err)
}

async fn query(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    match of_body(&app, &headers, body).await {
        Ok(operation) => Json(app.execute(operation).await).into_response(),
        Err(error) => refusal(error),
    }
}

/// GraphQL over SSE, one connection per operation.
async fn stream_of_body(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    match of_body(&app, &headers, body).await {
        Ok(operation) => events(&app, operation),
        Err(error) => refusal(error),
    }
}

/// The same with the operation in the address, which therefore must not change anything.
async fn stream_of_address(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let admitted = async {
        let request = operation::parse_address(query.as_deref())?.data(ReadOnly);
        app.admit(request, authorization(&headers), traceparent(&headers))
            .await
    };
    match admitted.await {
        Ok(operation) => events(&app, operation),
        Err(error) => refusal(error),
    }
}

fn events(app: &App, operation: Operation) -> Response {
    let room = match app.room() {
        Ok(room) => room,
        Err(error) => return refusal(error),
    };
    let responses = app.execute_stream(operation).map(move |response| {
        // Given back when the stream is dropped.
        let _ = &room;
        response
    });
    Sse::new(as_events(responses))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// `event: next` with each answer, then `event: complete`.
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
