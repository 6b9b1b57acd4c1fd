//! Downloads of recorded media: short-lived links for one caller; every read is journalled by the coordinator.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Response},
};
use convene_kit::{Caller, Context, Error, Result, Scope, token};
use convene_proto::recording::v1::ReadArtefactRequest;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::{api::Api, auth, server};

/// How long a link is good, in milliseconds of unmoved time.
const LIFE_MS: i64 = 5 * 60_000;

#[derive(Serialize, Deserialize)]
struct Grant {
    recording: String,
    segment: u32,
    principal: String,
    tenant: convene_domain::TenantId,
    expires_ms: i64,
}

/// The query of a link.
#[derive(Deserialize)]
pub struct GrantQuery {
    #[serde(default)]
    grant: String,
}

/// A link for this caller, or nothing for one who may not read media.
pub fn link(api: &Api, caller: &Caller, recording: &str, segment: u32) -> Result<Option<String>> {
    if !matches!(caller.scope, Scope::Admin | Scope::Host(_)) {
        return Ok(None);
    }
    let grant = Grant {
        recording: recording.to_owned(),
        segment,
        principal: caller.principal.clone(),
        tenant: caller.tenant,
        expires_ms: api.clock.unmoved().plus_millis(LIFE_MS).as_millis(),
    };
    let grant = token::sign_shared(&api.config.link_key, &grant)?;
    Ok(Some(format!(
        "/artefacts/{recording}/{segment}?grant={grant}"
    )))
}

/// Streams an artefact to the caller whom the link is for.
pub async fn download(
    State(api): State<Arc<Api>>,
    Path((recording, segment)): Path<(String, u32)>,
    Query(query): Query<GrantQuery>,
    headers: HeaderMap,
) -> Response {
    match open(&api, &recording, segment, &query.grant, &headers).await {
        Ok(response) => response,
        Err(error) => server::refusal(error),
    }
}

async fn open(
    api: &Api,
    recording: &str,
    segment: u32,
    grant: &str,
    headers: &HeaderMap,
) -> Result<Response> {
    let caller = auth::caller(api, server::authorization(headers)).await?;
    let refused = || {
        Error::forbidden(
            "LINK_INVALID",
            "this link is not valid, not for this caller, or older than five minutes; ask for a new one",
        )
    };
    let grant: Grant =
        token::verify_shared(&api.config.link_key, grant).map_err(|_forged| refused())?;
    let fits = grant.recording == recording
        && grant.segment == segment
        && grant.principal == caller.principal
        && grant.tenant == caller.tenant
        && grant.expires_ms > api.clock.unmoved().as_millis();
    if !fits {
        return Err(refused());
    }
    let message = ReadArtefactRequest {
        recording_id: recording.to_owned(),
        segment,
    };
    let request = Context::begin(caller).request(&api.callers, message)?;
    let mut chunks = api.recording().read_artefact(request).await?.into_inner();
    // The first chunk says what comes; an error before it still has a status.
    let first = chunks
        .message()
        .await?
        .ok_or_else(|| Error::internal("an artefact without bytes"))?;
    let (content_type, size) = (first.content_type.clone(), first.size_bytes);
    let bytes = stream::once(async { Ok(first.data) })
        .chain(chunks.map(|chunk| chunk.map(|chunk| chunk.data)));
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}
