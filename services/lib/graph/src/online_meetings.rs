//! Online meetings.

use reqwest::{Method, StatusCode};

use crate::{
    Graph, GraphError, MeetingOptions, NewMeeting, OnlineMeeting, Result, events::there,
    transport::Send,
};

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
        let found: Result<Vec<OnlineMeeting>> = self
            .all(Send::new(Method::GET, route, url).query(&query))
            .await;
        match found {
            Ok(found) => Ok(found.into_iter().next()),
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

    /// The meeting of an external id, made unless it is there; `true` when it was made. May be repeated: the id is its key. Such a meeting stands in no calendar,
    /// so its recordings are not listed.
    pub async fn create_or_get_online_meeting(
        &self,
        user: &str,
        new: &NewMeeting,
    ) -> Result<(OnlineMeeting, bool)> {
        let url = self.v1(&["users", user, "onlineMeetings", "createOrGet"]);
        let body = new.body();
        let route = "/users/{user}/onlineMeetings/createOrGet";
        let (status, meeting) = self
            .status_and_json(Send::new(Method::POST, route, url).body(&body))
            .await?;
        Ok((meeting, status == StatusCode::CREATED))
    }

    /// Deletes a meeting; `false` when there was none.
    pub async fn delete_online_meeting(&self, user: &str, id: &str) -> Result<bool> {
        let url = self.v1(&["users", user, "onlineMeetings", id]);
        let route = "/users/{user}/onlineMeetings/{meeting}";
        there(self.done(Send::new(Method::DELETE, route, url)).await)
    }
}
