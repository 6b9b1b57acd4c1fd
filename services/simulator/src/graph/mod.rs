//! The Graph-like API under `/v1.0` and `/beta`.

mod calls;
pub mod error;
mod events;
mod meetings;
mod recordings;
mod request;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};

use crate::{entra, state::Shared};
use error::Failure;

/// Answer of a handler.
pub type Answer = Result<Response, Failure>;

/// All Graph routes, behind the token check.
pub fn routes(shared: Arc<Shared>) -> Router<Arc<Shared>> {
    let version = Router::new()
        .merge(users::routes())
        .merge(events::routes())
        .merge(meetings::routes())
        .merge(recordings::routes());
    let v1 = version.clone().merge(calls::routes());
    let beta = version.merge(calls::routes()).merge(calls::beta_routes());
    Router::new()
        .nest("/v1.0", v1.fallback(not_there))
        .nest("/beta", beta.fallback(not_there))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(shared, guard))
}

async fn not_there(State(shared): State<Arc<Shared>>) -> Response {
    error::response(
        &shared,
        StatusCode::NOT_IMPLEMENTED,
        "NotImplemented",
        "The simulator does not answer this path; its README lists what it answers.",
    )
}

async fn wrong_method(State(shared): State<Arc<Shared>>) -> Response {
    error::response(
        &shared,
        StatusCode::METHOD_NOT_ALLOWED,
        "BadRequest",
        "This path does not support this method.",
    )
}

/// Checks the bearer token, and gives every answer the headers that Graph's have.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let client_request_id = request.headers().get("client-request-id").cloned();
    let graph =
        request.uri().path().starts_with("/v1.0/") || request.uri().path().starts_with("/beta/");
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let refusal = match token {
        _ if !graph => None,
        None => Some("Access token is empty."),
        Some(token) if !entra::accepts(&shared, token) => {
            Some("Access token validation failure. Invalid or expired token.")
        }
        Some(_) => None,
    };
    let mut response = match refusal {
        Some(message) => {
            let mut response = error::response(
                &shared,
                StatusCode::UNAUTHORIZED,
                "InvalidAuthenticationToken",
                message,
            );
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    if !headers.contains_key(error::REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&error::request_id())
    {
        headers.insert(error::REQUEST_ID, id);
    }
    if let Some(id) = client_request_id {
        headers.insert("client-request-id", id);
    }
    response
}
