//! The token endpoint: OAuth 2.0 client credentials with a secret.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Form, Path, State, rejection::FormRejection},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use serde_json::json;

use super::{
    jwt::{self, Audience},
    refusal::Refusal,
};
use crate::{origin::Origin, state::Shared};

/// What every scope of client credentials ends with.
const DEFAULT: &str = "/.default";

type Fields = HashMap<String, String>;

pub async fn only_post(State(shared): State<Arc<Shared>>, origin: Origin) -> Response {
    let text = "The endpoint only accepts POST requests. Received a GET request.";
    Refusal::bad("invalid_request", 900_561, text).answer(&shared, &origin)
}

pub async fn issue(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    origin: Origin,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let fields = match form {
        Ok(Form(fields)) => fields,
        // What is not a form has no parameter.
        Err(_) => Fields::new(),
    };
    let audience = match granted(&shared, &tenant, &headers, &fields) {
        Ok(audience) => audience,
        Err(refusal) => return refusal.answer(&shared, &origin),
    };
    let body = json!({
        "token_type": "Bearer",
        "expires_in": jwt::LIFE_S,
        "ext_expires_in": jwt::LIFE_S,
        "access_token": jwt::sign(&shared, &origin, audience),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn granted(
    shared: &Shared,
    tenant: &str,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<Audience, Refusal> {
    let directory = &shared.directory;
    let field = |name: &str| {
        let value = fields.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    };
    let required = |name: &str| field(name).ok_or_else(|| Refusal::missing(name));
    if !tenant.eq_ignore_ascii_case(&directory.tenant) {
        return Err(Refusal::tenant(tenant));
    }
    let grant_type = required("grant_type")?;
    if grant_type != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{grant_type}'.");
        return Err(Refusal::bad("unsupported_grant_type", 70003, text));
    }
    let basic = basic(headers);
    let client_id = match &basic {
        Some((id, _)) => id.as_str(),
        None => required("client_id")?,
    };
    if !client_id.eq_ignore_ascii_case(&directory.client_id) {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'."
        );
        return Err(Refusal::bad("unauthorized_client", 700_016, text));
    }
    let secret = basic.as_ref().map(|(_, secret)| secret.as_str());
    let secret = secret.or_else(|| field("client_secret")).ok_or_else(|| {
        Refusal::client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    })?;
    if secret != directory.client_secret.reveal() {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
        );
        return Err(Refusal::client(7_000_215, text));
    }
    let scope = required("scope")?;
    match scope.strip_suffix(DEFAULT).map(Audience::of) {
        Some(Some(audience)) => Ok(audience),
        Some(None) => Err(Refusal::bad(
            "invalid_scope",
            70011,
            format!(
                "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        )),
        None => Err(Refusal::bad(
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        )),
    }
}

/// Client id and secret of HTTP Basic, form-encoded inside (RFC 6749 section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |part: &str| {
        let part = part.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&part).decode_utf8();
        decoded.ok().map(std::borrow::Cow::into_owned)
    };
    Some((decoded(id)?, decoded(secret)?))
}
