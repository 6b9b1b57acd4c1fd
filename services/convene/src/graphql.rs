//! A small GraphQL client for the commands and the demo: they use the public API as everyone does.

use std::time::Duration;

use convene_kit::{Error, Result};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Value, json};

/// Longest wait for an answer, in milliseconds.
const TIMEOUT_MS: u64 = 30_000;

/// One caller of one gateway.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    /// `authorization` is the whole header: `Bearer <key>` or `Ticket <ticket>`.
    pub fn new(url: &str, authorization: &str) -> Result<Self> {
        let mut value = HeaderValue::from_str(authorization)
            .map_err(|_| Error::invalid("--key", "MALFORMED_KEY", "the key is not plain text"))?;
        value.set_sensitive(true);
        let http = reqwest::Client::builder()
            .no_proxy()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]))
            .build()
            .map_err(silent)?;
        Ok(Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Runs an operation; answers `data`, or the first error.
    pub async fn call(&self, query: &str, variables: Value) -> Result<Value> {
        let mut answer = self.answer(query, variables).await?;
        first_error(&answer)?;
        Ok(answer["data"].take())
    }

    /// Runs an operation; answers the whole body with `data` and `errors`.
    pub async fn answer(&self, query: &str, variables: Value) -> Result<Value> {
        self.http
            .post(format!("{}/graphql", self.url))
            .timeout(Duration::from_millis(TIMEOUT_MS))
            .json(&json!({"query": query, "variables": variables}))
            .send()
            .await
            .map_err(silent)?
            .json()
            .await
            .map_err(silent)
    }

    /// Opens a subscription over SSE.
    pub async fn subscribe(&self, query: &str, variables: Value) -> Result<reqwest::Response> {
        self.http
            .post(format!("{}/graphql/stream", self.url))
            .header("accept", "text/event-stream")
            .json(&json!({"query": query, "variables": variables}))
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(silent)
    }

    /// Uploads a plugin's module under its SHA-256; answers the digest, in hex.
    pub async fn upload_module(&self, bytes: Vec<u8>) -> Result<String> {
        let digest = convene_kit::digest::sha256(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.put_module(&digest, bytes).await?;
        Ok(digest)
    }

    /// Uploads bytes under the SHA-256 that they should have.
    pub async fn put_module(&self, digest: &str, bytes: Vec<u8>) -> Result<()> {
        let answer = self
            .http
            .put(format!("{}/plugins/modules/{digest}", self.url))
            .timeout(Duration::from_millis(TIMEOUT_MS))
            .body(bytes)
            .send()
            .await
            .map_err(silent)?;
        let answer: Value = answer.json().await.map_err(silent)?;
        first_error(&answer)
    }

    /// Fetches bytes from a link of the gateway.
    pub async fn fetch(&self, link: &str) -> Result<Vec<u8>> {
        let response = self
            .http
            .get(link)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(silent)?;
        Ok(response.bytes().await.map_err(silent)?.to_vec())
    }
}

fn first_error(answer: &Value) -> Result<()> {
    let Some(error) = answer["errors"].get(0) else {
        return Ok(());
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Err(Error::refused(
        match text(&error["extensions"]["reason"]) {
            reason if reason.is_empty() => "GRAPHQL_ERROR".to_owned(),
            reason => reason,
        },
        text(&error["message"]),
    ))
}

fn silent(error: reqwest::Error) -> Error {
    Error::unavailable(
        "GATEWAY_SILENT",
        "the gateway does not answer; start it with `convene up`, or name its address with --url",
    )
    .with_detail(error.without_url().to_string())
}
