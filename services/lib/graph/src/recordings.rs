//! Finished recordings of meetings.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use reqwest::{Method, header};

use crate::{CallRecording, Graph, GraphError, Result, problem, transport::Send};

/// A recording's bytes as they come.
pub struct Content {
    /// MIME type.
    pub content_type: String,
    bytes_max: u64,
    response: reqwest::Response,
}

impl Graph {
    /// The finished recordings of a calendar-backed meeting, the oldest first. The list takes no query options.
    pub async fn list_recordings(&self, user: &str, meeting: &str) -> Result<Vec<CallRecording>> {
        let url = self.v1(&["users", user, "onlineMeetings", meeting, "recordings"]);
        let route = "/users/{user}/onlineMeetings/{meeting}/recordings";
        let mut found: Vec<CallRecording> = self.all(Send::new(Method::GET, route, url)).await?;
        found.sort_by_key(|recording| recording.created_date_time);
        Ok(found)
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
            .send(Send::new(Method::GET, route, self.v1(&path)).streamed())
            .await?;
        let content_type = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/octet-stream")
            .to_owned();
        Ok(Content {
            content_type,
            bytes_max: u64::MAX,
            response,
        })
    }
}

impl Content {
    /// The same, ended by an error when there are more bytes than these; without it, whoever stores the bytes counts them.
    pub fn at_most(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// The bytes; ends with an error when the connection breaks, or pauses for longer than the client's time-out.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, GraphError>> + std::marker::Send {
        let bytes_max = self.bytes_max;
        let mut left = bytes_max;
        self.response
            .bytes_stream()
            .map_err(problem::not_answered)
            .and_then(move |chunk| {
                let counted = left.checked_sub(chunk.len() as u64);
                left = counted.unwrap_or(0);
                let too_long =
                    || GraphError::Malformed(format!("recording longer than {bytes_max} bytes"));
                std::future::ready(counted.map(|_| chunk).ok_or_else(too_long))
            })
    }
}
