//! Calendar events.

use reqwest::Method;
use serde_json::json;

use crate::{Event, EventChange, Graph, GraphError, NewEvent, Result, transport::Send};

/// Our own named property on events, by which they can be found again. The GUID names the set of Convene's properties.
pub const LOOKUP_PROPERTY: &str =
    "String {6c1a7f1e-52a4-4c2b-9d0f-3f6f5c0b8a11} Name ConveneBooking";

/// Events on a page, as text. One is expected; what makes them many is found in one go.
const FOUND_TOP: &str = "50";

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
        let query = [("$filter", filter.as_str()), ("$top", FOUND_TOP)];
        let send = Send::new(Method::GET, "/users/{user}/events?$filter", url).query(&query);
        let mut found: Vec<Event> = self.all(send).await?;
        // By id when there is no time, so that every look-up has the same first one.
        found.sort_by(|a, b| {
            let age = |event: &Event| (event.created_date_time.is_none(), event.created_date_time);
            age(a).cmp(&age(b)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(found)
    }

    /// One event.
    pub async fn get_event(&self, user: &str, id: &str) -> Result<Event> {
        let url = self.v1(&["users", user, "events", id]);
        self.json(Send::new(Method::GET, "/users/{user}/events/{event}", url))
            .await
    }

    /// Changes an event; answers it as it is then. May be repeated.
    pub async fn update_event(&self, user: &str, id: &str, change: &EventChange) -> Result<Event> {
        let url = self.v1(&["users", user, "events", id]);
        let body = change.body();
        let route = "/users/{user}/events/{event}";
        self.json(Send::new(Method::PATCH, route, url).body(&body))
            .await
    }

    /// Deletes an event without a word to its attendees; `false` when there was none.
    pub async fn delete_event(&self, user: &str, id: &str) -> Result<bool> {
        let url = self.v1(&["users", user, "events", id]);
        let route = "/users/{user}/events/{event}";
        there(self.done(Send::new(Method::DELETE, route, url)).await)
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
