//! What all Graph handlers need: reading bodies and queries, writing JSON as Graph does.

use std::collections::HashMap;

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde_json::{Map, Value};

use super::error::Failure;
use crate::{state::Shared, world::User};

/// Graph's content type.
pub const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Items on a page of a collection when `$top` is absent, and at the most.
const PAGE: (usize, usize) = (10, 1_000);

/// Query options by name.
pub type Query = HashMap<String, String>;

/// A JSON answer.
pub fn json(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, JSON), OData::VERSION],
        body.to_string(),
    )
        .into_response()
}

struct OData;

impl OData {
    const VERSION: (header::HeaderName, &'static str) =
        (header::HeaderName::from_static("odata-version"), "4.0");
}

/// The object in a request body.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Failure::bad("Unable to read JSON request payload.")),
    }
}

/// The user of a path, or 404 `Request_ResourceNotFound`.
pub fn user<'a>(shared: &'a Shared, key: &str) -> Result<&'a User, Failure> {
    if key.eq_ignore_ascii_case("me") {
        return Err(me());
    }
    shared.directory.user(key).ok_or_else(|| {
        Failure::new(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            "Resource does not exist or one of its queried reference-property objects are not present.",
        )
    })
}

/// `/me` needs a signed-in user, and there is none.
pub fn me() -> Failure {
    Failure::bad("/me request is only valid with delegated authentication flow.")
}

/// One page of a collection, with `@odata.nextLink` when there is more.
pub fn collection(
    shared: &Shared,
    path: &str,
    query: &Query,
    items: Vec<Value>,
) -> Result<Value, Failure> {
    let number = |name: &str, default: usize| match query.get(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Failure::bad(format!("Invalid value '{text}' for {name}."))),
    };
    let top = number("$top", PAGE.0)?.clamp(1, PAGE.1);
    let skip = number("$skip", 0)?;
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(skip).take(top).collect();
    let mut answer = Map::new();
    if query.get("$count").is_some_and(|count| count == "true") {
        answer.insert("@odata.count".into(), total.into());
    }
    if skip + page.len() < total {
        let mut next = format!(
            "{}{path}?$top={top}&$skip={}",
            shared.base_url(),
            skip + top
        );
        for (name, value) in query {
            if name != "$top" && name != "$skip" {
                let value = percent_encoding::utf8_percent_encode(
                    value,
                    percent_encoding::NON_ALPHANUMERIC,
                );
                next.push_str(&format!("&{name}={value}"));
            }
        }
        answer.insert("@odata.nextLink".into(), next.into());
    }
    answer.insert("value".into(), page.into());
    Ok(answer.into())
}

/// Keeps `id`, annotations and the members that `$select` names.
pub fn select(query: &Query, mut item: Value) -> Value {
    if let (Some(select), Some(object)) = (query.get("$select"), item.as_object_mut()) {
        let wanted: Vec<_> = select.split(',').map(str::trim).collect();
        object.retain(|name, _| {
            name == "id" || name.starts_with('@') || wanted.contains(&name.as_str())
        });
    }
    item
}

/// The text between quotes of `name eq '…'`, quotes doubled inside.
pub fn equals(filter: &str, name: &str) -> Option<String> {
    let (left, right) = filter.split_once(" eq ")?;
    if !left.trim().eq_ignore_ascii_case(name) {
        return None;
    }
    let quoted = right.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    Some(quoted.replace("''", "'"))
}
