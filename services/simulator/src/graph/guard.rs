//! What stands before and behind every handler: the token check, and what all answers carry.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    error::{Failure, Ids, render},
    permissions,
};
use crate::{
    entra::{self, Audience, Grant, Invalid},
    state::Shared,
};

/// Lets those with a good token through, and writes refusals out.
pub async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let ids = Ids::of(request.headers());
    let grant = match bearer(&shared, request.headers()) {
        Ok(grant) => grant,
        Err(message) => return unknown(&shared, message, ids),
    };
    let path = request.uri().path();
    if let Err(failure) = permissions::check(request.method(), path, &grant.roles) {
        return render(&shared, &failure, ids);
    }
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        return render(&shared, &failure, ids);
    }
    ids.put_on(&mut response);
    response
}

fn unknown(shared: &Shared, message: &'static str, ids: Ids) -> Response {
    let failure = Failure::new(
        StatusCode::UNAUTHORIZED,
        "InvalidAuthenticationToken",
        message,
    );
    let mut response = render(shared, &failure, ids);
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// The sentences are Graph's as seen in the field; clients branch on the code alone.
fn bearer(shared: &Shared, headers: &HeaderMap) -> Result<Arc<Grant>, &'static str> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = value.and_then(|value| value.split_once(' ')) else {
        return Err("Access token is empty.");
    };
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err("Access token is empty.");
    }
    entra::check(shared, token.trim(), Audience::Graph).map_err(|invalid| match invalid {
        Invalid::Malformed => "CompactToken parsing failed with error code: 80049217",
        Invalid::Signature => "Access token validation failure. Invalid signature.",
        Invalid::Audience => "Access token validation failure. Invalid audience.",
        Invalid::Expired => "Lifetime validation failed, the token is expired.",
    })
}
