//! The HTTP server. It runs hyper itself because a scripted fault must be able to close a connection without an answer.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::DefaultBodyLimit};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{
    control, entra,
    faults::{Action, delay},
    graph,
    state::Shared,
};

/// Request body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Connections at the same time.
const CONNECTIONS_MAX: usize = 1_024;
/// A connection's request head must come within this time, in milliseconds.
const HEAD_MS_MAX: u64 = 10_000;
/// Control calls are never disturbed by faults.
const CONTROL: &str = "/_simulator";

/// Accepts until told to stop.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let router = Router::new()
        .nest(CONTROL, control::routes())
        .merge(entra::routes())
        .merge(graph::routes(shared.clone()))
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
            continue;
        };
        let (router, shared, stop) = (router.clone(), shared.clone(), stop.clone());
        tokio::spawn(async move {
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

/// One request through log and faults. `Err` closes the connection without an answer.
async fn answer(
    router: Router,
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    if path.starts_with(CONTROL) {
        return Ok(run(router, request).await);
    }
    let method = request.method().as_str().to_owned();
    let number = shared.log.begin(&method, &path, shared.clock.now_ms());
    let result = with_faults(&shared, &method, &path, run(router, request)).await;
    let status = result
        .as_ref()
        .map_or(0, |response| response.status().as_u16());
    shared.log.end(number, status);
    result
}

async fn run(router: Router, request: Request<Incoming>) -> Response<Body> {
    let answered: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn with_faults(
    shared: &Shared,
    method: &str,
    path: &str,
    effect: impl Future<Output = Response<Body>>,
) -> io::Result<Response<Body>> {
    let dropped = || io::Error::from(io::ErrorKind::ConnectionAborted);
    Ok(match shared.faults.act(method, path) {
        None => effect.await,
        Some(Action::DelayBefore { ms }) => {
            delay(ms).await;
            effect.await
        }
        Some(Action::DelayAfter { ms }) => {
            let response = effect.await;
            delay(ms).await;
            response
        }
        Some(Action::Throttle { retry_after }) => graph::error::throttled(shared, retry_after),
        Some(Action::ErrorBefore { status }) => failure(shared, status),
        Some(Action::ErrorAfter { status }) => {
            drop(effect.await);
            failure(shared, status)
        }
        Some(Action::DropBefore) => return Err(dropped()),
        Some(Action::DropAfter) => {
            drop(effect.await);
            return Err(dropped());
        }
    })
}

fn failure(shared: &Shared, status: u16) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    graph::error::response(
        shared,
        status,
        "ServiceUnavailable",
        "A fault that the simulator was told to show.",
    )
}
