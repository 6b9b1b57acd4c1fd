//! What a request asks for, read once for all handlers; what cannot be read is refused in Graph's envelope.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OriginalUri, Query, Request},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{error::Failure, time::Zone};
use crate::{
    origin::Origin,
    state::Shared,
    world::{Members, User},
};

/// Everything but path keys and body.
#[derive(Debug)]
pub struct Ask {
    /// The simulator.
    pub shared: Arc<Shared>,
    /// Where the client found us.
    pub origin: Origin,
    /// `v1.0` or `beta`.
    pub version: &'static str,
    /// Query options by name.
    pub query: HashMap<String, String>,
    /// `Prefer: outlook.timezone="…"`.
    pub zone: Option<Zone>,
    /// `Prefer: include-unknown-enum-members`.
    pub unknown_members: bool,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// When it was asked, in milliseconds of the simulator's clock.
    pub now_ms: i64,
}

impl FromRequestParts<Arc<Shared>> for Ask {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let Query(query) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Failure::bad("The query string cannot be read."))?;
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, shared)
            .await
            .unwrap_or_else(|never| match never {});
        let origin = Origin::from_request_parts(parts, shared)
            .await
            .unwrap_or_else(|never| match never {});
        let headers = &parts.headers;
        let mut ask = Self {
            shared: shared.clone(),
            origin,
            version: match uri.path().starts_with("/beta") {
                true => "beta",
                false => "v1.0",
            },
            query,
            zone: None,
            unknown_members: false,
            if_match: text(headers, header::IF_MATCH),
            now_ms: shared.clock.now_ms(),
        };
        for value in headers.get_all("prefer") {
            let value = value.to_str().unwrap_or_default();
            value
                .split(',')
                .try_for_each(|one| ask.prefer(one.trim()))?;
        }
        Ok(ask)
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

impl Ask {
    fn prefer(&mut self, preference: &str) -> Result<(), Failure> {
        match preference.split_once('=') {
            Some(("outlook.timezone", name)) => {
                self.zone = Some(Zone::named(name.trim_matches('"'))?);
            }
            None if preference == "include-unknown-enum-members" => self.unknown_members = true,
            // Preferences may be ignored.
            _ => {}
        }
        Ok(())
    }

    /// The user of a path, or 404 `Request_ResourceNotFound`.
    pub fn user(&self, key: &str) -> Result<&User, Failure> {
        self.shared.directory.user(key).ok_or_else(|| {
            Failure::new(
                StatusCode::NOT_FOUND,
                "Request_ResourceNotFound",
                "Resource does not exist or one of its queried reference-property objects are not present.",
            )
        })
    }

    /// The user of a path for whom the application may manage online meetings, or the real 403.
    pub fn covered(&self, key: &str) -> Result<&User, Failure> {
        let user = self.user(key)?;
        if self.shared.read().covers(user) {
            return Ok(user);
        }
        let message = "No application access policy found for this app";
        Err(Failure::new(StatusCode::FORBIDDEN, "Forbidden", message))
    }

    /// Refuses query options other than these.
    pub fn only(&self, options: &[&str]) -> Result<(), Failure> {
        let mut others = self.query.keys().filter(|name| name.starts_with('$'));
        match others.find(|name| !options.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Failure::bad(format!(
                "Query option '{name}' is not supported on this resource."
            ))),
        }
    }

    /// `http://…/v1.0` or `…/beta`.
    pub fn root(&self) -> String {
        format!("{}/{}", self.origin, self.version)
    }
}

/// Keys of the path, percent-decoded.
#[derive(Debug)]
pub struct Keys<T>(pub T);

impl<T, S> FromRequestParts<S> for Keys<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(keys)| Self(keys))
            .map_err(|_| Failure::bad("The path is not percent-encoded UTF-8."))
    }
}

/// The JSON object in the body; no body is an empty one.
#[derive(Debug)]
pub struct Object(pub Members);

impl Deref for Object {
    type Target = Members;

    fn deref(&self) -> &Members {
        &self.0
    }
}

impl FromRequest<Arc<Shared>> for Object {
    type Rejection = Failure;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let bytes =
            Bytes::from_request(request, shared)
                .await
                .map_err(|rejection| match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Failure::new(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "RequestEntityTooLarge",
                        "The request body is larger than 1 MiB.",
                    ),
                    _ => Failure::bad("The request body did not come whole."),
                })?;
        if bytes.is_empty() {
            return Ok(Self(Members::new()));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            _ => Err(Failure::bad("Unable to read JSON request payload.")),
        }
    }
}
