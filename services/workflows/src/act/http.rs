//! A POST of JSON.

use bytes::Bytes;
use convene_kit::{Error, outbound::Failure};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value as Json, json};

use super::{Attempt, Failed, RunWorker, unfilled};
use crate::definition::Body;

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Sends it; the answer's status is what comes out.
pub async fn send(
    worker: &RunWorker,
    attempt: &Attempt<'_>,
    url: &str,
    body: &Body,
) -> Result<Json, Failed> {
    let mut people = worker.people(attempt).await?;
    let mut scope = attempt.scope.clone();
    // No single guest is meant.
    if let Some(first) = people.first_mut() {
        first.guest.clear();
        first.guest_email.clear();
        scope.extend(first.variables());
    }
    let body = body.fill(&scope).map_err(unfilled)?.to_string();
    if body.len() > BODY_BYTES_MAX {
        return Err(Failed::for_good("BODY_TOO_LARGE"));
    }
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let key = HeaderValue::from_str(&attempt.key.to_string())
        .map_err(|_| Error::internal("a key is not ASCII"))?;
    headers.insert("idempotency-key", key);
    let answer = worker.outbound.post(url, headers, Bytes::from(body)).await;
    match answer {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(json!({ "status": answer.status })),
        Ok(answer) => {
            let asked = answer.retry_after;
            let again = matches!(answer.status, 408 | 425 | 429) || answer.status >= 500;
            Err(Failed {
                reason: format!("HTTP_{}", answer.status),
                last: !again,
                asked_ms: asked.and_then(|asked| i64::try_from(asked.as_millis()).ok()),
                own: None,
            })
        }
        Err(Failure::AddressRefused) => Err(Failed::for_good(Failure::AddressRefused.code())),
        Err(failure) => Err(Failed::for_now(failure.code())),
    }
}
