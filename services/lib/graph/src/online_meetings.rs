//! Online meetings.

use reqwest::Method;
use serde::Deserialize;

use crate::{Graph, GraphError, MeetingOptions, OnlineMeeting, Result, transport::Send};

#[derive(Deserialize)]
struct Page {
    value: Vec<OnlineMeeting>,
}

impl Graph {
    /// The meeting behind a join link, for its organizer. The link goes into the filter as it is: what is percent-encoded in it stays so, encoded once more.
    pub async fn find_online_meeting(
        &self,
        user: &str,
        join_url: &str,
    ) -> Result<Option<OnlineMeeting>> {
        let url = self.v1(&["users", user, "onlineMeetings"]);
        let filter = format!("JoinWebUrl eq '{}'", join_url.replace('\'', "''"));
        let query = [("$filter", filter.as_str())];
        let route = "/users/{user}/onlineMeetings?$filter";
        let found: Result<Page> = self
            .json(Send::new(Method::GET, route, url).query(&query))
            .await;
        match found {
            Ok(page) => Ok(page.value.into_iter().next()),
            Err(GraphError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One meeting.
    pub async fn get_online_meeting(&self, user: &str, id: &str) -> Result<OnlineMeeting> {
        let url = self.v1(&["users", user, "onlineMeetings", id]);
        let route = "/users/{user}/onlineMeetings/{meeting}";
        self.json(Send::new(Method::GET, route, url)).await
    }

    /// Changes options; answers the meeting as it is then. May be repeated.
    pub async fn patch_online_meeting(
        &self,
        user: &str,
        id: &str,
        options: &MeetingOptions,
    ) -> Result<OnlineMeeting> {
        let url = self.v1(&["users", user, "onlineMeetings", id]);
        let body = serde_json::to_value(options)
            .map_err(|error| GraphError::Malformed(error.to_string()))?;
        let route = "/users/{user}/onlineMeetings/{meeting}";
        self.json(Send::new(Method::PATCH, route, url).body(&body))
            .await
    }
}
