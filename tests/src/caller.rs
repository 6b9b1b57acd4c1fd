//! One caller of the public API.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use convene::graphql::Client;
use convene_kit::{Error, Result};
use serde_json::Value;

/// How often a patient caller asks.
const ASKS_MAX: usize = 100;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(20);

/// A client. A patient one repeats what failed for reasons that pass, as callers with idempotency keys do; others take every failure as it is.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    patient: bool,
}

impl Deref for Caller {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Caller {
    /// `authorization` is the whole header.
    pub fn new(url: &str, authorization: &str, patient: bool) -> Self {
        Self {
            client: Client::new(url, authorization).unwrap(),
            patient,
        }
    }

    /// Runs an operation; answers `data`, or the first error.
    pub async fn call(&self, query: &str, variables: Value) -> Result<Value> {
        if !self.patient {
            return self.client.call(query, variables).await;
        }
        for _ in 1..ASKS_MAX {
            let mut answer = self.client.answer(query, variables.clone()).await?;
            let error = &answer["errors"][0]["extensions"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match text(&error["code"]).as_str() {
                "UNAVAILABLE" | "TIMEOUT" => tokio::time::sleep(PAUSE).await,
                "" => return Ok(answer["data"].take()),
                _ => return Err(Error::refused(text(&error["reason"]), answer.to_string())),
            }
        }
        self.client.call(query, variables).await
    }
}

/// The gateways of a world, one after the other.
#[derive(Clone)]
pub(crate) struct Gateways {
    urls: Arc<[String]>,
    turn: Arc<AtomicUsize>,
}

impl Gateways {
    pub fn new(urls: Vec<String>) -> Self {
        Self {
            urls: urls.into(),
            turn: Arc::default(),
        }
    }

    /// The address of the next.
    pub fn next(&self) -> &str {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.urls[turn % self.urls.len()]
    }
}
