//! Entra's v2.0 endpoints for client credentials, and the access tokens that the Graph side checks.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Form, Path, State, rejection::FormRejection},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as URL},
};
use http::{HeaderMap, StatusCode, header};
use ring::signature::{ED25519, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::{clock::rfc3339, state::Shared, world::derived_uuid};

/// Life of an access token, in seconds.
const LIFE_S: i64 = 3_599;
/// Graph's default scope for client credentials.
const SCOPE: &str = "https://graph.microsoft.com/.default";
const AUDIENCE: &str = "https://graph.microsoft.com";

/// The token endpoint and what libraries ask for before they use it.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(configuration),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
}

struct Refusal {
    status: StatusCode,
    error: &'static str,
    number: u32,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self {
            status,
            error,
            number,
            text: text.into(),
        }
    }

    /// The body of AADSTS errors (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes").
    fn into_response(self, shared: &Shared) -> Response {
        let now = rfc3339(shared.clock.now_ms());
        let trace = shared.change(|world| {
            let number = world.next();
            derived_uuid(shared.directory.seed, &format!("trace/{number}"))
        });
        let body = json!({
            "error": self.error,
            "error_description": format!("AADSTS{}: {} Trace ID: {trace} Correlation ID: {trace} Timestamp: {now}", self.number, self.text),
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": format!("{}/error?code={}", shared.base_url(), self.number),
        });
        (self.status, Json(body)).into_response()
    }
}

async fn token(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    form: Result<Form<HashMap<String, String>>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            900144,
            "The request body must contain the following parameter: 'grant_type'.",
        )
        .into_response(&shared);
    };
    match grant(&shared, &tenant, &headers, &form) {
        Err(refusal) => refusal.into_response(&shared),
        Ok(access_token) => {
            let body = json!({
                "token_type": "Bearer",
                "expires_in": LIFE_S,
                "ext_expires_in": LIFE_S,
                "access_token": access_token,
            });
            ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
    }
}

fn grant(
    shared: &Shared,
    tenant: &str,
    headers: &HeaderMap,
    form: &HashMap<String, String>,
) -> Result<String, Refusal> {
    let directory = &shared.directory;
    let bad = |number, text: String| {
        Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", number, text)
    };
    if !tenant.eq_ignore_ascii_case(&directory.tenant) {
        return Err(bad(90002, format!("Tenant '{tenant}' not found.")));
    }
    let wanted = |name: &str| form.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let required = |name: &str| {
        wanted(name).ok_or_else(|| {
            bad(
                900144,
                format!("The request body must contain the following parameter: '{name}'."),
            )
        })
    };
    if required("grant_type")? != "client_credentials" {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70003,
            "The app requested an unsupported grant type.",
        ));
    }
    let basic = basic(headers);
    let client_id = match &basic {
        Some((id, _)) => id.as_str(),
        None => required("client_id")?,
    };
    if !client_id.eq_ignore_ascii_case(&directory.client_id) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unauthorized_client",
            700016,
            format!("Application with identifier '{client_id}' was not found in the directory."),
        ));
    }
    let secret = basic.as_ref().map(|(_, secret)| secret.as_str());
    let refused =
        |number, text| Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", number, text);
    match secret.or_else(|| wanted("client_secret")) {
        None => {
            return Err(refused(
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            ));
        }
        Some(secret) if secret != directory.client_secret => {
            return Err(refused(7000215, "Invalid client secret provided."));
        }
        Some(_) => {}
    }
    if required("scope")? != SCOPE {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            1002012,
            "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.",
        ));
    }
    issue(shared).ok_or_else(|| bad(90033, "A transient error has occurred.".to_owned()))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// A signed access token. Ed25519 where Entra uses RSA: clients treat access tokens as opaque.
fn issue(shared: &Shared) -> Option<String> {
    let directory = &shared.directory;
    let now = shared.clock.now_ms() / 1_000;
    let head = json!({"typ": "JWT", "alg": "EdDSA", "kid": "sim"});
    let claims = json!({
        "aud": AUDIENCE,
        "iss": format!("{}/{}/v2.0", shared.base_url(), directory.tenant),
        "iat": now,
        "nbf": now,
        "exp": now + LIFE_S,
        "appid": directory.client_id,
        "tid": directory.tenant,
        "idtyp": "app",
    });
    let body = format!(
        "{}.{}",
        URL.encode(head.to_string()),
        URL.encode(claims.to_string())
    );
    let signature = directory.signing_key()?.sign(body.as_bytes());
    Some(format!("{body}.{}", URL.encode(signature)))
}

/// Whether a bearer token is one of ours and still valid.
pub fn accepts(shared: &Shared, token: &str) -> bool {
    claims(shared, token).is_some_and(|claims| {
        let now = shared.clock.now_ms() / 1_000;
        claims.get("aud").and_then(Value::as_str) == Some(AUDIENCE)
            && claims.get("exp").and_then(Value::as_i64).unwrap_or(0) > now
    })
}

fn claims(shared: &Shared, token: &str) -> Option<Value> {
    let (body, signature) = token.rsplit_once('.')?;
    let signature = URL.decode(signature).ok()?;
    let key = shared.directory.signing_key()?;
    UnparsedPublicKey::new(&ED25519, key.public_key().as_ref())
        .verify(body.as_bytes(), &signature)
        .ok()?;
    let (_, claims) = body.split_once('.')?;
    serde_json::from_slice(&URL.decode(claims).ok()?).ok()
}

async fn configuration(State(shared): State<Arc<Shared>>, Path(tenant): Path<String>) -> Response {
    if !tenant.eq_ignore_ascii_case(&shared.directory.tenant) {
        return Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_tenant",
            90002,
            "Tenant not found.",
        )
        .into_response(&shared);
    }
    let base = format!("{}/{}", shared.base_url(), shared.directory.tenant);
    Json(json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }))
    .into_response()
}

async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    let keys: Vec<Value> = shared
        .directory
        .signing_key()
        .map(|key| {
            json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "sim", "x": URL.encode(key.public_key().as_ref())})
        })
        .into_iter()
        .collect();
    Json(json!({ "keys": keys })).into_response()
}
