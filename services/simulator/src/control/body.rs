//! Bodies and refusals of the control API.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;

/// `{"error": sentence}`.
pub fn refuse(status: StatusCode, message: impl Into<String>) -> Response {
    (status, Json(json!({"error": message.into()}))).into_response()
}

/// A JSON body, whatever its content type says.
pub struct Body<T>(pub T);

impl<T, S> FromRequest<S> for Body<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| refuse(rejection.status(), rejection.body_text()))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            refuse(
                StatusCode::BAD_REQUEST,
                format!("the body is not as it should be: {error}"),
            )
        })
    }
}
