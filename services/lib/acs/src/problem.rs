//! What goes wrong, in the words of the wire.

use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

/// The code again, as a header: clients of Rooms read it there.
const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// `error.code`.
    pub code: String,
    /// For people, with the remedy.
    pub message: String,
    /// The member or header that it is about.
    pub target: Option<String>,
    /// Wait so many seconds, or the methods that are there.
    pub hint: Option<Hint>,
}

/// A header that goes with a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// `Allow`.
    Allow(&'static str),
    /// `WWW-Authenticate`.
    Authenticate,
}

impl Problem {
    /// By status, code and sentence.
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            target: None,
            hint: None,
        }
    }

    /// What was sent is not as it should be.
    pub fn bad(target: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message).at(target)
    }

    /// There is no such thing.
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The member that it is about.
    pub fn at(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Another code for the same.
    pub fn coded(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// A header that goes with it.
    pub fn with(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// As it is sent.
    pub fn answer(self) -> Response<Body> {
        let mut error = json!({"code": self.code, "message": self.message});
        if let (Some(target), Some(error)) = (self.target, error.as_object_mut()) {
            error.insert("target".to_owned(), target.into());
        }
        let mut response = (self.status, Json(json!({"error": error}))).into_response();
        let headers = response.headers_mut();
        headers.extend(HeaderValue::from_str(&self.code).map(|code| (ERROR_CODE, code)));
        headers.extend(self.hint.map(|hint| match hint {
            Hint::Allow(methods) => (header::ALLOW, HeaderValue::from_static(methods)),
            Hint::Authenticate => (
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("HMAC-SHA256, Bearer"),
            ),
        }));
        response
    }
}
