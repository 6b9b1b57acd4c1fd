//! Recorded segments of a meeting.

use convene_domain::meeting::External;
use convene_kit::Result;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{GraphCalendar, failure::failed};
use crate::provider::{Captured, Chunks};

/// Chunks of an artefact that wait for a slow reader.
const CHUNKS_MAX: usize = 8;

impl GraphCalendar {
    pub(super) async fn located(
        &self,
        meeting: &External,
        captured: &Captured<'_>,
    ) -> Result<Option<String>> {
        let user = &meeting.organizer_id;
        let recordings = self
            .graph
            .list_recordings(user, &meeting.online_meeting_id)
            .await
            .map_err(failed)?;
        let of_call: Vec<_> = recordings
            .into_iter()
            .filter(|recording| recording.call_id.as_deref() == Some(captured.call))
            .collect();
        // Processing need not end in the order of recording: as long as one is missing, the order says nothing.
        if of_call.len() < captured.ended {
            return Ok(None);
        }
        Ok(of_call.into_iter().nth(captured.nth).map(|found| found.id))
    }

    pub(super) async fn opened(
        &self,
        meeting: &External,
        artefact: &str,
    ) -> Result<(String, Chunks)> {
        let user = &meeting.organizer_id;
        let content = self
            .graph
            .recording_content(user, &meeting.online_meeting_id, artefact)
            .await
            .map_err(failed)?;
        let content_type = content.content_type.clone();
        let (send, chunks) = mpsc::channel(CHUNKS_MAX);
        tokio::spawn(async move {
            let mut stream = std::pin::pin!(content.into_stream());
            while let Some(chunk) = stream.next().await {
                // A reader that went away needs no more.
                if send.send(chunk.map_err(failed)).await.is_err() {
                    return;
                }
            }
        });
        Ok((content_type, chunks))
    }
}
