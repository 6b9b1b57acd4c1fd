//! Downloads of recorded media: short-lived links for one caller; every read is journalled by the coordinator.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Response},
};
use convene_domain::{TenantId, Timestamp};
use convene_kit::{Caller, Context, Error, KeyScope, Result, Scope, keys::Shared};
use convene_proto::recording::v1::ReadArtefactRequest;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::{api::Api, auth, server};

/// How long a link is good, in milliseconds of unmoved time.
const LIFE_MS: i64 = 5 * 60_000;

/// What a link allows, to whom, until when.
#[derive(Serialize, Deserialize, PartialEq)]
struct Grant {
    recording: String,
    segment: u32,
    principal: String,
    tenant: TenantId,
    expires_ms: i64,
}

impl Grant {
    fn new(caller: &Caller, recording: &str, segment: u32, now: Timestamp) -> Self {
        Self {
            recording: recording.to_owned(),
            segment,
            principal: caller.principal.clone(),
            tenant: caller.tenant,
            expires_ms: now.plus_millis(LIFE_MS).as_millis(),
        }
    }

    /// Refuses a text that does not allow this segment to this caller at this time.
    fn check(
        keys: &Shared,
        text: &str,
        caller: &Caller,
        recording: &str,
        segment: u32,
        now: Timestamp,
    ) -> Result<()> {
        let granted = keys.verify::<Self>(text).ok();
        let fits = granted.is_some_and(|granted| {
            let wanted = Self {
                expires_ms: granted.expires_ms,
                ..Self::new(caller, recording, segment, now)
            };
            granted == wanted && granted.expires_ms > now.as_millis()
        });
        if fits {
            return Ok(());
        }
        Err(Error::forbidden(
            "LINK_INVALID",
            "this link is not valid, not for this caller, or older than five minutes; ask for a new one",
        ))
    }
}

/// The query of a link.
#[derive(Deserialize)]
pub struct GrantQuery {
    #[serde(default)]
    grant: String,
}

/// A link for this caller, or nothing for one who may not read media.
pub fn link(api: &Api, caller: &Caller, recording: &str, segment: u32) -> Result<Option<String>> {
    let reads = matches!(caller.scope, Scope::Admin | Scope::Host(_));
    if !reads || caller.ensure_may(KeyScope::Recording).is_err() {
        return Ok(None);
    }
    let grant = Grant::new(caller, recording, segment, api.clock.unmoved());
    let grant = api.config.link_keys.sign(&grant)?;
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
    let authorization = server::authorization(headers).unwrap_or_default();
    let caller = auth::caller(api, authorization).await?;
    let now = api.clock.unmoved();
    Grant::check(
        &api.config.link_keys,
        grant,
        &caller,
        recording,
        segment,
        now,
    )?;
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

#[cfg(test)]
mod tests {
    use ring::hmac;
    use uuid::Uuid;

    use super::*;

    fn key(byte: u8) -> Shared {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]).into()
    }

    fn caller(tenant: u128, principal: &str) -> Caller {
        let tenant = TenantId::from_uuid(Uuid::from_u128(tenant));
        Caller::new(tenant, Scope::Admin, principal)
    }

    #[test]
    fn a_link_opens_one_segment_for_one_caller_for_a_while() {
        let (ours, now) = (caller(1, "key:1"), Timestamp::from_millis(1_000));
        let grant = Grant::new(&ours, "r", 2, now);
        let text = key(1).sign(&grant).unwrap();
        let check = |text: &str, caller: &Caller, recording: &str, segment, after_ms| {
            let then = now.plus_millis(after_ms);
            Grant::check(&key(1), text, caller, recording, segment, then)
        };
        assert!(check(&text, &ours, "r", 2, 0).is_ok());
        assert!(check(&text, &ours, "r", 2, LIFE_MS - 1).is_ok());
        for refused in [
            check(&text, &ours, "r", 2, LIFE_MS),
            check(&text, &ours, "r", 3, 0),
            check(&text, &ours, "other", 2, 0),
            check(&text, &caller(1, "key:2"), "r", 2, 0),
            check(&text, &caller(2, "key:1"), "r", 2, 0),
            check("", &ours, "r", 2, 0),
            check("a.b", &ours, "r", 2, 0),
        ] {
            assert_eq!(refused.unwrap_err().reason, "LINK_INVALID");
        }
    }

    #[test]
    fn a_forged_link_opens_nothing() {
        let (ours, now) = (caller(1, "key:1"), Timestamp::from_millis(1_000));
        let grant = Grant::new(&ours, "r", 2, now);
        let foreign = key(2).sign(&grant).unwrap();
        let own = key(1).sign(&grant).unwrap();
        let longer = Grant {
            expires_ms: i64::MAX,
            ..grant
        };
        let longer = key(2).sign(&longer).unwrap();
        // The body of one, the signature of the other.
        let (body, _) = longer.split_once('.').unwrap();
        let (_, signature) = own.split_once('.').unwrap();
        for forged in [foreign, longer.clone(), format!("{body}.{signature}")] {
            assert!(Grant::check(&key(1), &forged, &ours, "r", 2, now).is_err());
        }
    }
}
