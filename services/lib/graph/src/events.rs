//! Calendar events.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::{Event, Graph, GraphError, NewEvent, Result, transport::Send};

/// Our own named property on events, by which they can be found again. The GUID names the set of Convene's properties.
pub const LOOKUP_PROPERTY: &str =
    "String {6c1a7f1e-52a4-4c2b-9d0f-3f6f5c0b8a11} Name ConveneBooking";

/// Events that carry one key at the most; more would be a fault worth stopping at.
const FOUND_MAX: &str = "50";

#[derive(Deserialize)]
struct Page {
    value: Vec<Event>,
}

impl Graph {
    /// Makes an event with an online meeting. Not to be repeated without a look-up.
    pub async fn create_event(&self, user: &str, new: &NewEvent) -> Result<Event> {
        let url = self.v1(&["users", user, "events"]);
        let body = new.body();
        self.json(Send::new(Method::POST, "/users/{user}/events", url).body(&body))
            .await
    }

    /// All events that carry a key, the oldest first.
    pub async fn find_events(&self, user: &str, key: &str) -> Result<Vec<Event>> {
        let url = self.v1(&["users", user, "events"]);
        let key = key.replace('\'', "''");
        let filter = format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq '{LOOKUP_PROPERTY}' and ep/value eq '{key}')"
        );
        let query = [("$filter", filter.as_str()), ("$top", FOUND_MAX)];
        let send = Send::new(Method::GET, "/users/{user}/events?$filter", url).query(&query);
        let page: Page = self.json(send).await?;
        Ok(page.value)
    }

    /// One event.
    pub async fn get_event(&self, user: &str, id: &str) -> Result<Event> {
        let url = self.v1(&["users", user, "events", id]);
        self.json(Send::new(Method::GET, "/users/{user}/events/{event}", url))
            .await
    }

    /// Cancels an event as its organizer; `false` when there was none.
    pub async fn cancel_event(&self, user: &str, id: &str, comment: &str) -> Result<bool> {
        let url = self.v1(&["users", user, "events", id, "cancel"]);
        let body = json!({ "Comment": comment });
        let route = "/users/{user}/events/{event}/cancel";
        there(
            self.done(Send::new(Method::POST, route, url).body(&body))
                .await,
        )
    }
}

/// What is gone already needs no removal.
pub(crate) fn there(done: Result<()>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(GraphError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
