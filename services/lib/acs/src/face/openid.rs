//! What verifiers of callbacks and user tokens read.

use http::StatusCode;
use serde_json::json;

use super::{Ask, Reply};
use crate::Port;

/// Who issues callback tokens.
pub const ISSUER: &str = "https://acscallautomation.communication.azure.com";

/// `GET /calling/.well-known/acsopenidconfiguration`.
pub fn configuration(ask: &Ask) -> Reply {
    let body = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{}/calling/keys", ask.origin),
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["aud", "exp", "iat", "iss", "nbf", "jti"],
    });
    Reply::of(StatusCode::OK, body)
}

/// `GET /calling/keys`.
pub fn keys(port: &dyn Port) -> Reply {
    Reply::of(StatusCode::OK, port.resource().signer.key_set())
}
