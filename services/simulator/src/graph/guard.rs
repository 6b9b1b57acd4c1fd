//! What stands before and behind every handler: the token check, and what all answers carry.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::error::{Failure, Ids, render};
use crate::{
    entra::{self, Invalid},
    state::Shared,
};

/// Lets those with a good token through, and writes refusals out.
pub async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let ids = Ids::of(request.headers());
    if let Err(message) = bearer(&shared, request.headers()) {
        let code = "InvalidAuthenticationToken";
        let failure = Failure::new(StatusCode::UNAUTHORIZED, code, message);
        let mut response = render(&shared, &failure, ids);
        let scheme = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
        return response;
    }
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        return render(&shared, &failure, ids);
    }
    ids.put_on(&mut response);
    response
}

/// The sentences are Graph's as seen in the field; clients branch on the code alone.
fn bearer(shared: &Shared, headers: &HeaderMap) -> Result<(), &'static str> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = value.and_then(|value| value.split_once(' ')) else {
        return Err("Access token is empty.");
    };
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err("Access token is empty.");
    }
    entra::check(shared, token.trim()).map_err(|invalid| match invalid {
        Invalid::Malformed => "CompactToken parsing failed with error code: 80049217",
        Invalid::Signature => "Access token validation failure. Invalid signature.",
        Invalid::Audience => "Access token validation failure. Invalid audience.",
        Invalid::Expired => "Lifetime validation failed, the token is expired.",
    })
}
