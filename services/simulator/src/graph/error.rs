//! Graph's error envelope and the ids of every answer.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::odata::JSON;
use crate::{
    clock::rfc3339,
    state::Shared,
    world::{Full, OBJECTS_MAX},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Answer of a handler.
pub type Answer = Result<Response, Failure>;

/// A refusal that a handler answers. The guard writes it out, because it knows ids and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// `innerError.code`.
    inner: Option<&'static str>,
}

impl Failure {
    /// A refusal with Graph's code and a message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            inner: None,
        }
    }

    /// 400 `BadRequest`.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 400 of the calendar API.
    pub fn invalid(message: impl Into<String>) -> Self {
        let code = "ErrorPropertyValidationFailure";
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404 of the communications API.
    pub fn not_found() -> Self {
        let message = "The object was not found.";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// 404 of the calendar API.
    pub fn item_not_found() -> Self {
        let message = "The specified object was not found in the store.";
        Self::new(StatusCode::NOT_FOUND, "ErrorItemNotFound", message)
    }

    /// 501: in Graph, but not here yet.
    pub fn not_implemented(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }
}

impl From<Full> for Failure {
    fn from(Full: Full) -> Self {
        let message = format!(
            "The simulator holds at most {OBJECTS_MAX} events, meetings and calls; POST /_simulator/reset empties it."
        );
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "ErrorQuotaExceeded",
            message,
        )
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The two ids that every answer carries.
#[derive(Clone, Debug)]
pub struct Ids {
    request: String,
    client: Option<HeaderValue>,
}

impl Ids {
    /// A new `request-id`, and the client's own when it sent one.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            request: uuid::Uuid::new_v4().to_string(),
            client: headers.get(CLIENT_REQUEST_ID).cloned(),
        }
    }

    /// Puts them on an answer.
    pub fn put_on(self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&self.request) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(id) = self.client {
            headers.insert(CLIENT_REQUEST_ID, id);
        }
    }
}

/// A refusal as it goes out.
pub fn render(shared: &Shared, failure: &Failure, ids: Ids) -> Response {
    let client = ids.client.as_ref().and_then(|id| id.to_str().ok());
    let mut body = json!({"error": {
        "code": failure.code,
        "message": failure.message,
        "innerError": {
            "date": rfc3339(shared.clock.now_ms()),
            "request-id": ids.request,
            "client-request-id": client.unwrap_or(&ids.request),
        },
    }});
    if let Some(inner) = failure.inner {
        body["error"]["innerError"]["code"] = inner.into();
    }
    let mut response = (
        failure.status,
        [(header::CONTENT_TYPE, JSON)],
        body.to_string(),
    )
        .into_response();
    ids.put_on(&mut response);
    response
}

/// An error answer from outside of the handlers.
pub fn failed(
    shared: &Shared,
    ids: Ids,
    status: StatusCode,
    code: &'static str,
    message: &str,
) -> Response<Body> {
    render(shared, &Failure::new(status, code, message), ids)
}

/// 429 with `Retry-After` in seconds, or without it.
pub fn throttled(shared: &Shared, ids: Ids, retry_after_s: Option<f64>) -> Response<Body> {
    let message = "Too many requests; wait as Retry-After says.";
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut failure = Failure::new(status, "TooManyRequests", message);
    failure.inner = Some("429");
    let mut response = render(shared, &failure, ids);
    let seconds = retry_after_s.map(|seconds| HeaderValue::from_str(&format!("{seconds}")));
    if let Some(Ok(seconds)) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
