//! Who plays: each with a credential of its own, nobody with more than the part needs.

use std::time::Duration;

use convene_kit::{Error, Result};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::graphql::Client;

/// A change must be seen within this time, in milliseconds.
const PATIENCE_MS: u64 = 20_000;
/// Pause between two looks, in milliseconds.
const LOOK_MS: u64 = 25;

/// The field of a mutation's payload, or its refusal as an error.
pub fn done(data: &Value, mutation: &str) -> Result<Value> {
    let payload = &data[mutation];
    match refusal(payload) {
        Some((reason, message)) => Err(Error::refused(reason, message)),
        None => Ok(payload.clone()),
    }
}

/// `(reason, message)` of a payload that says no.
pub fn refusal(payload: &Value) -> Option<(String, String)> {
    let refusal = payload.get("refusal")?.as_object()?;
    let text = |name: &str| {
        refusal
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Some((text("reason"), text("message")))
}

/// A text inside an answer; a missing one is a fault of the gateway.
pub fn text(value: &Value, pointer: &str) -> Result<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Error::internal(format!("the gateway's answer has no {pointer}")))
}

/// Looks until `pointer` of the query's data is one of `wanted`; answers the data.
pub async fn until(
    client: &Client,
    query: &str,
    variables: Value,
    pointer: &str,
    wanted: &[&str],
) -> Result<Value> {
    let patience = Instant::now() + Duration::from_millis(PATIENCE_MS);
    loop {
        let data = client.call(query, variables.clone()).await?;
        let seen = data.pointer(pointer).and_then(Value::as_str);
        if seen.is_some_and(|seen| wanted.contains(&seen)) {
            return Ok(data);
        }
        if Instant::now() >= patience {
            return Err(Error::timeout(format!(
                "{pointer} stayed {} and did not become {}",
                seen.unwrap_or("absent"),
                wanted.join(" or ")
            )));
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// What people do at the provider: open the join link there.
#[derive(Debug)]
pub struct AtProvider {
    http: reqwest::Client,
    base: String,
}

impl AtProvider {
    /// The simulator's control address.
    pub fn new(base: String) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self { http, base })
    }

    /// Opens the join link; answers whether the person is in the meeting or in the provider's lobby.
    pub async fn join(&self, join_url: &str, kind: &str) -> Result<String> {
        let silent = |error: reqwest::Error| {
            Error::unavailable("SIMULATOR_SILENT", error.without_url().to_string())
        };
        let answer: Value = self
            .http
            .post(format!("{}/_simulator/meetings/join", self.base))
            .json(&json!({"joinWebUrl": join_url, "kind": kind}))
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(silent)?
            .json()
            .await
            .map_err(silent)?;
        text(&answer, "/presence")
    }
}
