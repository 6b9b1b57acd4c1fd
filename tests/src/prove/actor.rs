//! A caller whose answers are kept on the tape. It repeats what got lost, with the same idempotency key, as callers do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    house::House,
    tape::{Answer, Recorder, Who},
};

/// How long a caller goes on asking: longer than a node takes to come back.
const PATIENCE: Duration = Duration::from_secs(40);
/// First pause between two tries; doubled up to half a second.
const PAUSE_MS: (u64, u64) = (25, 500);

/// Callers begin at one gateway after the other.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// One caller.
#[derive(Clone)]
pub struct Actor {
    house: Arc<House>,
    tape: Arc<Recorder>,
    who: Who,
    authorization: String,
    /// The gateway that it calls; the next one when this one is gone.
    door: Arc<AtomicUsize>,
}

impl Actor {
    /// A caller with a whole authorization header.
    pub fn new(house: &Arc<House>, tape: &Arc<Recorder>, who: Who, authorization: String) -> Self {
        Self {
            house: house.clone(),
            tape: tape.clone(),
            who,
            authorization,
            door: Arc::new(FIRST.fetch_add(1, Ordering::Relaxed).into()),
        }
    }

    fn url(&self, door: usize, path: &str) -> String {
        format!("{}{path}", self.house.door(door))
    }

    /// To the next gateway, unless somebody went there already.
    fn leave(&self, door: usize) {
        let next = door.wrapping_add(1);
        let _ = self
            .door
            .compare_exchange(door, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Runs an operation; answers the whole body, the last one when patience ends.
    pub async fn ask(
        &self,
        operation: &'static str,
        about: &str,
        query: &str,
        variables: Value,
    ) -> Value {
        let patience = tokio::time::Instant::now() + PATIENCE;
        let mut pause = PAUSE_MS.0;
        loop {
            let body = self.once(operation, about, query, &variables).await;
            let code = body["errors"][0]["extensions"]["code"]
                .as_str()
                .unwrap_or("");
            let passes = ["UNAVAILABLE", "TIMEOUT", "TOO_MANY", "LOST"].contains(&code);
            if !passes || tokio::time::Instant::now() >= patience {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
            pause = (pause * 2).min(PAUSE_MS.1);
        }
    }

    /// Runs an operation; answers the payload of its one field.
    pub async fn field(
        &self,
        operation: &'static str,
        about: &str,
        query: &str,
        variables: Value,
    ) -> Value {
        let mut body = self.ask(operation, about, query, variables).await;
        body["data"][operation].take()
    }

    /// Asks once.
    pub async fn once(
        &self,
        operation: &'static str,
        about: &str,
        query: &str,
        variables: &Value,
    ) -> Value {
        let asked = self.tape.moment();
        let door = self.door.load(Ordering::Relaxed);
        let sent = self
            .house
            .http
            .post(self.url(door, "/graphql"))
            .header("authorization", &self.authorization)
            .json(&json!({"query": query, "variables": variables}))
            .send();
        let got = async { sent.await?.json::<Value>().await };
        let got = got.await;
        let answered = got.is_ok().then(|| self.tape.moment());
        if got.is_err() {
            self.leave(door);
        }
        let body =
            got.unwrap_or_else(|_lost| json!({"errors": [{"extensions": {"code": "LOST"}}]}));
        self.tape.keep(Answer {
            who: self.who.clone(),
            operation,
            about: about.to_owned(),
            asked,
            answered,
            body: body.clone(),
        });
        body
    }

    /// Opens a subscription; `None` when the node is not there or refuses.
    pub async fn subscribe(&self, query: &str, variables: &Value) -> Option<reqwest::Response> {
        let door = self.door.load(Ordering::Relaxed);
        let opened = self
            .house
            .http
            .post(self.url(door, "/graphql/stream"))
            .header("authorization", &self.authorization)
            .header("accept", "text/event-stream")
            .timeout(Duration::from_secs(600))
            .json(&json!({"query": query, "variables": variables}))
            .send();
        let opened = opened.await;
        if opened.is_err() {
            self.leave(door);
        }
        opened.ok()?.error_for_status().ok()
    }
}
