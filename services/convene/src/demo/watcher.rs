//! The booking app's subscription: it reads along while the story goes on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use convene_kit::{Error, Result};
use serde_json::{Value, json};

use super::cast::text;
use crate::graphql::Client;

/// Events by object, in the order in which they came.
type Seen = Arc<Mutex<BTreeMap<String, Vec<u64>>>>;

/// A running subscription.
#[derive(Debug)]
pub struct Watcher {
    seen: Seen,
    reading: tokio::task::JoinHandle<()>,
}

impl Watcher {
    /// Subscribes to the facts of a booking over SSE.
    pub async fn start(client: &Client, booking: &str) -> Result<Self> {
        let query =
            "subscription($id: ID!) { bookingEvents(bookingId: $id) { type objectId seq } }";
        let mut response = client.subscribe(query, json!({ "id": booking })).await?;
        let seen = Seen::default();
        let kept = seen.clone();
        let reading = tokio::spawn(async move {
            let mut rest = String::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                rest.push_str(&String::from_utf8_lossy(&chunk));
                while let Some(end) = rest.find("\n\n") {
                    let event: String = rest.drain(..end + 2).collect();
                    keep(&kept, &event);
                }
            }
        });
        Ok(Self { seen, reading })
    }

    /// How many events came; an error when one was missing, doubled or out of order.
    pub fn stop(self) -> Result<usize> {
        self.reading.abort();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (object, seqs) in seen.iter() {
            if !seqs.iter().copied().eq(1..=seqs.len() as u64) {
                return Err(Error::internal(format!(
                    "the subscription told {object} as {seqs:?}"
                )));
            }
        }
        Ok(seen.values().map(Vec::len).sum())
    }
}

fn keep(seen: &Seen, event: &str) {
    let data = event.lines().find_map(|line| line.strip_prefix("data:"));
    let Some(Ok(data)) = data.map(serde_json::from_str::<Value>) else {
        return;
    };
    let event = &data["data"]["bookingEvents"];
    if let (Ok(object), Some(seq)) = (text(event, "/objectId"), event["seq"].as_u64()) {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(object).or_default().push(seq);
    }
}
