//! One request, whichever listener it came by: through the log, the scripted faults, the router, and into the state file.

use std::{convert::Infallible, io, sync::Arc};

use axum::{Json, Router, body::Body, extract::DefaultBodyLimit, response::IntoResponse as _};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    acs,
    clock::http_date,
    control, entra,
    env::THROTTLE_HEADER,
    faults::{Action, delay},
    graph::{self, Ids},
    state::Shared,
};

/// Request body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How much of a limit is used, from 0.8 on.
const LIMIT_PERCENTAGE: HeaderName = HeaderName::from_static("x-ms-throttle-limit-percentage");
/// Which limit was met.
const THROTTLE_SCOPE: HeaderName = HeaderName::from_static("x-ms-throttle-scope");
/// Control calls are never disturbed by faults.
const CONTROL: &str = "/_simulator";
/// `Retry-After` of what a client wanted to be throttled, in seconds.
const WANTED_RETRY_AFTER_S: f64 = 1.0;

/// A way back in, for the requests of a batch.
#[derive(Clone)]
pub struct Dispatch(Answering);

impl Dispatch {
    /// As if the request had come by itself.
    pub async fn answer(&self, request: Request<Body>) -> io::Result<Response<Body>> {
        // Boxed: a batch is answered inside of an answer.
        let answered: BoxFuture<'static, _> = Box::pin(self.0.clone().answer(request));
        answered.await
    }
}

/// Answers requests.
#[derive(Clone)]
pub struct Answering {
    router: Router,
    shared: Arc<Shared>,
}

impl Answering {
    /// All routes.
    pub fn new(shared: Arc<Shared>) -> Self {
        let router = Router::new()
            .nest(CONTROL, control::routes())
            .merge(entra::routes())
            .merge(acs::routes(shared.clone()))
            .merge(graph::routes(shared.clone()))
            .fallback(nothing_here)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(shared.clone());
        Self { router, shared }
    }

    /// `Err` closes the connection without an answer.
    pub async fn answer(self, mut request: Request<Body>) -> io::Result<Response<Body>> {
        if request.uri().path().starts_with(CONTROL) {
            return Ok(self.run(request).await);
        }
        if let Some(uri) = graph::canonical(request.uri()) {
            *request.uri_mut() = uri;
        }
        if request.uri().path().ends_with("/$batch") {
            request.extensions_mut().insert(Dispatch(self.clone()));
        }
        let shared = self.shared.clone();
        let (method, path) = (request.method(), request.uri().path());
        let number = shared.log.begin(method, path, shared.clock.now_ms());
        let scripted = shared.faults.act(method.as_str(), path);
        let mut result = match scripted.or_else(|| wanted_throttle(request.headers())) {
            None => Ok(self.throttled(request).await),
            Some(action) => {
                let shared = shared.clone();
                let ids = Ids::of(request.headers());
                // On its own, so that a client who gives up does not take the effect with it.
                let acting = tokio::spawn(async move {
                    let effect = self.run(request);
                    with_fault(&shared, ids, action, effect).await
                });
                acting
                    .await
                    .unwrap_or_else(|error| Err(io::Error::other(error)))
            }
        };
        if let Ok(answer) = &mut result {
            let now = HeaderValue::from_str(&http_date(shared.clock.now_ms()));
            let headers = answer.headers_mut();
            headers.extend(now.ok().map(|now| (header::DATE, now)));
        }
        let status = result.as_ref().map_or(0, |answer| answer.status().as_u16());
        shared.log.end(number, status);
        result
    }

    /// Within the published limits, when they are enforced.
    async fn throttled(self, request: Request<Body>) -> Response<Body> {
        let shared = self.shared.clone();
        let (method, path) = (request.method(), request.uri().path());
        let now_ms = shared.clock.now_ms();
        let admitted = shared
            .throttle
            .admit(&shared.directory, method, path, now_ms);
        match admitted {
            Ok(pass) => {
                let mut response = self.run(request).await;
                if let Some(share) = pass.share {
                    let share = HeaderValue::from_str(&format!("{share:.2}"));
                    let headers = response.headers_mut();
                    headers.extend(share.ok().map(|share| (LIMIT_PERCENTAGE, share)));
                }
                response
            }
            Err(over) => {
                let ids = Ids::of(request.headers());
                let mut response = graph::throttled(&shared, ids, Some(over.retry_after_s));
                let limit = HeaderValue::from_static(over.limit);
                response.headers_mut().insert(THROTTLE_SCOPE, limit);
                response
            }
        }
    }

    /// The answer, once what it acknowledges is kept.
    async fn run(self, request: Request<Body>) -> Response<Body> {
        let Self { router, shared } = self;
        let answered: Result<_, Infallible> = router.oneshot(request).await;
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
                graph::failed(&shared, ids, status, "generalException", text)
            }
        }
    }
}

async fn nothing_here() -> Response<Body> {
    let sentence = "Graph is under /v1.0 and /beta, communication services under /identities, /teamsUser, /rooms and /calling, tokens under /{tenant}/oauth2/v2.0/token, the simulator's own API under /_simulator.";
    (StatusCode::NOT_FOUND, Json(json!({"error": sentence}))).into_response()
}

/// A client may ask to be throttled; the number of its attempt is what official clients send.
fn wanted_throttle(headers: &HeaderMap) -> Option<Action> {
    let wanted = headers.get(THROTTLE_HEADER)?;
    let number = |value: &HeaderValue| value.to_str().ok()?.trim().parse::<u32>().ok();
    let attempt = headers.get("retry-attempt").and_then(number).unwrap_or(0);
    (attempt < number(wanted)?).then_some(Action::Throttle {
        retry_after: Some(WANTED_RETRY_AFTER_S),
    })
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
