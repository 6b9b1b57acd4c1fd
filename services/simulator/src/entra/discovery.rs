//! What token libraries read before they ask for a token.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as URL};
use ring::signature::KeyPair as _;
use serde_json::json;

use super::{jwt, refusal::Refusal};
use crate::{origin::Origin, state::Shared};

/// OpenID Connect discovery 1.0.
pub async fn configuration(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    origin: Origin,
) -> Response {
    if !tenant.eq_ignore_ascii_case(&shared.directory.tenant) {
        return Refusal::tenant(&tenant).answer(&shared, &origin);
    }
    let base = format!("{origin}/{}", shared.directory.tenant);
    Json(json!({
        "issuer": jwt::issuer(&shared, &origin),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["token"],
        "grant_types_supported": ["client_credentials"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [jwt::ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }))
    .into_response()
}

/// The signing key as a JSON Web Key Set (RFC 8037 for Ed25519).
pub async fn keys(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    origin: Origin,
) -> Response {
    if !tenant.eq_ignore_ascii_case(&shared.directory.tenant) {
        return Refusal::tenant(&tenant).answer(&shared, &origin);
    }
    let public = URL.encode(shared.directory.signing_key.public_key().as_ref());
    Json(json!({"keys": [{
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": jwt::ALGORITHM,
        "use": "sig",
        "kid": jwt::key_id(&shared),
        "x": public,
    }]}))
    .into_response()
}
