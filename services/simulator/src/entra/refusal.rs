//! AADSTS errors (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes").

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use serde_json::json;

use crate::{clock::rfc3339, origin::Origin, state::Shared};

/// Why no token is given.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    error: &'static str,
    number: u32,
    text: String,
}

impl Refusal {
    /// 400 of any OAuth error.
    pub fn bad(error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            number,
            text: text.into(),
        }
    }

    /// 401 `invalid_client`.
    pub fn client(number: u32, text: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            number,
            text: text.into(),
        }
    }

    /// 400 `invalid_request` 90002.
    pub fn tenant(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        );
        Self::bad("invalid_request", 90002, text)
    }

    /// 400 `invalid_request` 900144.
    pub fn missing(name: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Self::bad("invalid_request", 900_144, text)
    }

    /// The JSON body that token libraries read.
    pub fn answer(self, shared: &Shared, origin: &Origin) -> Response {
        let now = rfc3339(shared.clock.now_ms());
        let (trace, correlation) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let number = self.number;
        let body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{number}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                self.text
            ),
            "error_codes": [number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{origin}/error?code={number}"),
        });
        let no_store = [(header::CACHE_CONTROL, "no-store")];
        (self.status, no_store, Json(body)).into_response()
    }
}
