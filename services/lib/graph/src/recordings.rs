//! Finished recordings of meetings.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::{Method, header};
use serde::Deserialize;

use crate::{CallRecording, Graph, GraphError, Result, transport, transport::Send};

#[derive(Deserialize)]
struct Page {
    value: Vec<CallRecording>,
}

/// A recording's bytes as they come.
pub struct Content {
    /// MIME type.
    pub content_type: String,
    response: reqwest::Response,
}

impl Graph {
    /// The finished recordings of a calendar-backed meeting, the oldest first. The list takes no query options.
    pub async fn list_recordings(&self, user: &str, meeting: &str) -> Result<Vec<CallRecording>> {
        let url = self.v1(&["users", user, "onlineMeetings", meeting, "recordings"]);
        let route = "/users/{user}/onlineMeetings/{meeting}/recordings";
        let mut page: Page = self.json(Send::new(Method::GET, route, url)).await?;
        page.value
            .sort_by_key(|recording| recording.created_date_time);
        Ok(page.value)
    }

    /// Opens a recording's content.
    pub async fn recording_content(
        &self,
        user: &str,
        meeting: &str,
        recording: &str,
    ) -> Result<Content> {
        let path = [
            "users",
            user,
            "onlineMeetings",
            meeting,
            "recordings",
            recording,
            "content",
        ];
        let route = "/users/{user}/onlineMeetings/{meeting}/recordings/{recording}/content";
        let response = self
            .send(Send::new(Method::GET, route, self.v1(&path)))
            .await?;
        let content_type = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/octet-stream")
            .to_owned();
        Ok(Content {
            content_type,
            response,
        })
    }
}

impl Content {
    /// The bytes; ends with an error when the connection breaks.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, GraphError>> + std::marker::Send {
        self.response
            .bytes_stream()
            .map(|chunk| chunk.map_err(transport::not_answered))
    }
}
