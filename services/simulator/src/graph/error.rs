//! Graph's error envelope.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{clock::rfc3339, state::Shared};

/// Header with the answer's own id.
pub const REQUEST_ID: &str = "request-id";

/// A refusal that a handler answers.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    /// A refusal with Graph's code and a message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400 `BadRequest`.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 404 of the communications API.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "The object was not found.",
        )
    }

    /// 404 of the calendar API.
    pub fn item_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ErrorItemNotFound",
            "The specified object was not found in the store.",
        )
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let id = request_id();
        let mut response = envelope(self.status, self.code, &self.message, None, &id);
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
}

/// An error answer with its ids.
pub fn response(
    shared: &Shared,
    status: StatusCode,
    code: &'static str,
    message: &str,
) -> Response<Body> {
    let id = request_id();
    let date = rfc3339(shared.clock.now_ms());
    let mut response = envelope(status, code, message, Some(&date), &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// 429 with `Retry-After` in seconds.
pub fn throttled(shared: &Shared, retry_after_s: f64) -> Response<Body> {
    let mut response = response(
        shared,
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequests",
        "Too many requests; wait as Retry-After says.",
    );
    if let Ok(value) = HeaderValue::from_str(&format!("{retry_after_s}")) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// A new request id. Not part of the world: asking changes nothing.
pub fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn envelope(
    status: StatusCode,
    code: &'static str,
    message: &str,
    date: Option<&str>,
    id: &str,
) -> Response {
    let body = json!({"error": {
        "code": code,
        "message": message,
        "innerError": {"date": date, "request-id": id, "client-request-id": id},
    }});
    (
        status,
        [(header::CONTENT_TYPE, super::request::JSON)],
        body.to_string(),
    )
        .into_response()
}
