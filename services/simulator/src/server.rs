//! The HTTP server. It runs hyper itself because a scripted fault must be able to close a connection without an answer.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Json, Router, body::Body, extract::DefaultBodyLimit, response::IntoResponse as _};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{
    control, entra,
    faults::{Action, delay},
    graph::{self, Ids},
    state::Shared,
};

/// Request body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Connections at the same time.
const CONNECTIONS_MAX: usize = 1_024;
/// A connection's request head must come within this time, in milliseconds.
const HEAD_MS_MAX: u64 = 10_000;
/// Pause after a connection could not be accepted (no file handles left), in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;
/// Control calls are never disturbed by faults.
const CONTROL: &str = "/_simulator";

/// Accepts until told to stop.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let router = Router::new()
        .nest(CONTROL, control::routes())
        .merge(entra::routes())
        .merge(graph::routes(shared.clone()))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared.clone());
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)): io::Result<(TcpStream, SocketAddr)> = accepted else {
            tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            continue;
        };
        let (router, shared, stop) = (router.clone(), shared.clone(), stop.clone());
        tokio::spawn(async move {
            // Without it small answers wait for the client's acknowledgement; when it fails they are merely slower.
            let _ = stream.set_nodelay(true);
            let service = hyper::service::service_fn(move |request| {
                answer(router.clone(), shared.clone(), request)
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_millis(HEAD_MS_MAX))
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // A dropped connection is what a fault wants, and a broken one is the client's affair.
                _ = connection => {}
            }
            drop(place);
        });
    }
}

async fn nothing_here() -> Response<Body> {
    let sentence = "Graph is under /v1.0 and /beta, tokens under /{tenant}/oauth2/v2.0/token, the simulator's own API under /_simulator.";
    (StatusCode::NOT_FOUND, Json(json!({"error": sentence}))).into_response()
}

/// One request through log and faults. `Err` closes the connection without an answer.
async fn answer(
    router: Router,
    shared: Arc<Shared>,
    mut request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    if request.uri().path().starts_with(CONTROL) {
        return Ok(run(router, &shared, request).await);
    }
    if let Some(uri) = graph::canonical(request.uri()) {
        *request.uri_mut() = uri;
    }
    let (method, path) = (request.method(), request.uri().path());
    let number = shared.log.begin(method, path, shared.clock.now_ms());
    let result = match shared.faults.act(method.as_str(), path) {
        None => Ok(run(router, &shared, request).await),
        Some(action) => {
            let shared = shared.clone();
            let ids = Ids::of(request.headers());
            // On its own, so that a client who gives up does not take the effect with it.
            let acting = tokio::spawn(async move {
                let effect = run(router, &shared, request);
                with_fault(&shared, ids, action, effect).await
            });
            acting
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
        }
    };
    let status = result.as_ref().map_or(0, |answer| answer.status().as_u16());
    shared.log.end(number, status);
    result
}

/// The answer, once what it acknowledges is kept.
async fn run(router: Router, shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let answered: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
    let response = match answered {
        Ok(response) => response,
        Err(never) => match never {},
    };
    match shared.persist().await {
        Ok(()) => response,
        Err(error) => {
            tracing::error!(%error, "the simulator's state was not kept");
            let ids = Ids::of(&HeaderMap::new());
            let text = "The change was made but could not be kept in the state file.";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            graph::failed(shared, ids, status, "generalException", text)
        }
    }
}

async fn with_fault(
    shared: &Shared,
    ids: Ids,
    action: Action,
    effect: impl Future<Output = Response<Body>>,
) -> io::Result<Response<Body>> {
    let dropped = || io::Error::from(io::ErrorKind::ConnectionAborted);
    Ok(match action {
        Action::DelayBefore { ms } => {
            delay(ms).await;
            effect.await
        }
        Action::DelayAfter { ms } => {
            let response = effect.await;
            delay(ms).await;
            response
        }
        Action::Throttle { retry_after } => graph::throttled(shared, ids, retry_after),
        Action::ErrorBefore { status } => failure(shared, ids, status),
        Action::ErrorAfter { status } => {
            drop(effect.await);
            failure(shared, ids, status)
        }
        Action::DropBefore => return Err(dropped()),
        Action::DropAfter => {
            drop(effect.await);
            return Err(dropped());
        }
        Action::HollowAfter => {
            let response = effect.await;
            match response.status() {
                status if status.is_success() => (status, Json(json!({}))).into_response(),
                _ => response,
            }
        }
    })
}

fn failure(shared: &Shared, ids: Ids, status: u16) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let code = match status {
        StatusCode::INTERNAL_SERVER_ERROR => "InternalServerError",
        StatusCode::BAD_GATEWAY => "BadGateway",
        StatusCode::GATEWAY_TIMEOUT => "GatewayTimeout",
        _ => "ServiceUnavailable",
    };
    graph::failed(
        shared,
        ids,
        status,
        code,
        "A fault that the simulator was told to show.",
    )
}
