//! What is to be delivered to applications, and prompts to be looked at. The engine keeps it until whoever mounts it says that it is done.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Calls;
use crate::time::rfc3339;

/// A callback.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Callback {
    /// Of the event; the same at every attempt.
    pub id: String,
    /// Where it goes.
    pub url: String,
    /// Without `Microsoft.Communication.`.
    pub kind: String,
    /// In milliseconds.
    pub at_ms: i64,
    /// Members of the event.
    pub data: Value,
}

impl Callback {
    /// CloudEvents 1.0, one event in a list: one official client reads the first only.
    pub fn body(&self, leg: &str) -> Value {
        let source = format!("calling/callConnections/{leg}");
        json!([{
            "id": self.id,
            "source": source,
            "type": format!("Microsoft.Communication.{}", self.kind),
            "data": self.data,
            "time": rfc3339(self.at_ms),
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "subject": source,
        }])
    }
}

/// An event for Event Grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GridEvent {
    /// The same at every attempt.
    pub id: String,
    /// In milliseconds.
    pub at_ms: i64,
    /// Without `Microsoft.Communication.`.
    pub kind: String,
    /// Whom it is about.
    pub subject: String,
    /// Members of the event.
    pub data: Value,
}

impl GridEvent {
    /// EventGridEvent, schema 1.
    pub fn body(&self, topic: &str) -> Value {
        json!([{
            "id": self.id,
            "topic": topic,
            "subject": self.subject,
            "data": self.data,
            "eventType": format!("Microsoft.Communication.{}", self.kind),
            "dataVersion": "1.0",
            "metadataVersion": "1",
            "eventTime": rfc3339(self.at_ms),
        }])
    }
}

/// A prompt that has to be looked at before it is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetch {
    /// The leg.
    pub leg: String,
    /// The operation on it.
    pub operation: u64,
    /// Where the file is.
    pub url: String,
}

impl Calls {
    /// The first callback of each leg that is not delivered yet: the next one waits for it.
    pub fn callbacks(&self) -> impl Iterator<Item = (&str, &Callback)> {
        let heads = self.outbox.iter();
        heads.filter_map(|(leg, queue)| Some((leg.as_str(), queue.front()?)))
    }

    /// A callback was taken, or given up.
    pub fn callback_done(&mut self, leg: &str, id: &str) {
        if let Some(queue) = self.outbox.get_mut(leg) {
            if queue.front().is_some_and(|callback| callback.id == id) {
                queue.pop_front();
            }
            if queue.is_empty() {
                self.outbox.remove(leg);
            }
        }
    }

    /// The first Event Grid event that is not delivered yet.
    pub fn grid_event(&self) -> Option<&GridEvent> {
        self.grid.front()
    }

    /// An Event Grid event was taken, or given up.
    pub fn grid_event_done(&mut self, id: &str) {
        if self.grid.front().is_some_and(|event| event.id == id) {
            self.grid.pop_front();
        }
    }

    /// Prompts that have to be looked at.
    pub fn fetches(&self) -> impl Iterator<Item = &Fetch> {
        self.fetches.iter()
    }
}
