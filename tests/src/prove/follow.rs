//! Subscriptions that break again and again and go on behind the last cursor.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::actor::Actor;

const EVENTS: &str =
    "subscription($id: ID!, $after: String) { bookingEvents(bookingId: $id, after: $after) {
    cursor source objectKind objectId type seq actor occurredAt data } }";
const VISIT: &str =
    "subscription($after: String) { visit(after: $after) { cursor visit { state reason } } }";
/// Pause before a subscription that was refused is opened again.
const REOPEN: Duration = Duration::from_millis(100);

/// A follower at work; it ends when it is dropped.
pub struct Follower {
    seen: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    /// Follows a booking.
    pub fn of_booking(actor: &Actor, booking: &str, cuts: &[usize]) -> Self {
        let query = EVENTS.to_owned();
        Self::start(actor, query, json!({"id": booking}), "bookingEvents", cuts)
    }

    /// Follows the guest's own visit.
    pub fn of_visit(actor: &Actor, cuts: &[usize]) -> Self {
        Self::start(actor, VISIT.to_owned(), json!({}), "visit", cuts)
    }

    fn start(
        actor: &Actor,
        query: String,
        variables: Value,
        field: &'static str,
        cuts: &[usize],
    ) -> Self {
        let seen = Arc::<Mutex<Vec<Value>>>::default();
        let (actor, cuts, kept) = (actor.clone(), cuts.to_vec(), seen.clone());
        let task = tokio::spawn(async move {
            for turn in 0.. {
                let cut = cuts.get(turn).copied().unwrap_or(usize::MAX);
                let mut variables = variables.clone();
                let last = kept
                    .lock()
                    .unwrap()
                    .last()
                    .map(|last: &Value| last["cursor"].clone());
                variables["after"] = last.unwrap_or(Value::Null);
                if let Some(response) = actor.subscribe(&query, &variables).await {
                    read(response, field, cut, &kept).await;
                }
                if cut == usize::MAX {
                    tokio::time::sleep(REOPEN).await;
                }
            }
        });
        Self { seen, task }
    }

    /// What was pushed so far.
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so much was pushed as is wanted, or time is up.
    pub async fn until(&self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..300 {
            let seen = self.seen();
            if enough(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.seen()
    }
}

/// Reads up to `cut` updates; what was on its way behind them is lost with the connection.
async fn read(mut response: reqwest::Response, field: &str, cut: usize, kept: &Mutex<Vec<Value>>) {
    let (mut text, mut count) = (Vec::new(), 0);
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let message: Vec<u8> = text.drain(..end + 2).collect();
            let message = String::from_utf8_lossy(&message).into_owned();
            let data = message.lines().find_map(|line| line.strip_prefix("data:"));
            let value = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
            let Some(update) =
                value.and_then(|mut value| Some(value.get_mut("data")?.get_mut(field)?.take()))
            else {
                continue;
            };
            if update.is_null() {
                continue;
            }
            kept.lock().unwrap().push(update);
            count += 1;
            if count >= cut {
                return;
            }
        }
    }
}
