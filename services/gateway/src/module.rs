//! Uploads of plugin modules: a stream of bytes under their own SHA-256. What becomes of them is a mutation's affair.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use convene_kit::{Context, Result};
use convene_proto::plugin::v1::UploadModuleRequest;
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use serde_json::json;

use crate::{api::Api, auth, server};

/// Takes a module; the same one again changes nothing.
pub async fn upload(
    State(api): State<Arc<Api>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match pass_on(&api, digest, &headers, body).await {
        Ok(response) => response,
        Err(error) => server::refusal(error),
    }
}

async fn pass_on(api: &Api, digest: String, headers: &HeaderMap, body: Body) -> Result<Response> {
    let authorization = server::authorization(headers).unwrap_or_default();
    let caller = auth::caller(api, authorization).await?;
    // Before anything is read.
    caller.ensure_admin()?;
    let first = UploadModuleRequest {
        digest,
        data: Vec::new(),
    };
    // A body that breaks off ends early, and does not have the digest.
    let bytes = body
        .into_data_stream()
        .take_while(|chunk| std::future::ready(chunk.is_ok()))
        .filter_map(|chunk| std::future::ready(chunk.ok()))
        .map(|chunk| UploadModuleRequest {
            digest: String::new(),
            data: chunk.to_vec(),
        });
    let messages = stream::once(std::future::ready(first)).chain(bytes);
    let request = Context::begin(caller).request(&api.callers, messages)?;
    let stored = api.plugins().upload_module(request).await?.into_inner();
    let answer = json!({ "digest": stored.digest, "sizeBytes": stored.size_bytes });
    Ok(Json(answer).into_response())
}
