//! Entra's v2.0 endpoints for client credentials, and the access tokens that the Graph side checks.

mod discovery;
mod jwt;
mod refusal;
mod token;

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::state::Shared;
pub use jwt::{Audience, Grant, Invalid, KnownTokens, check, issued_here};

/// The token endpoint and what libraries ask for before they use it.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/{tenant}/oauth2/v2.0/token",
            get(token::only_post).post(token::issue),
        )
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(discovery::configuration),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
}
