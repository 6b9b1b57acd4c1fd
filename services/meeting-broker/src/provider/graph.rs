//! Teams-style meetings behind calendar events, through Microsoft Graph or anything that speaks like it.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use convene_domain::{Timestamp, meeting::External};
use convene_graph::{
    CallState, Event, Graph, GraphConfig, GraphError, JoinCall, LobbyBypassSettings,
    MeetingOptions, NewEvent, OnlineMeeting, Operation, OperationStatus,
};
use convene_kit::{BoxFuture, Error, Result};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{
    Capability, Chunks, JoinDetails, Made, Provider, Told, Wish, capability::GRAPH_CALENDAR,
};

/// Looks at a call or an operation that is not done, within one try of a job; then the job's own backoff takes over.
const LOOKS_MAX: u32 = 40;
/// Pause between two looks, in milliseconds.
const LOOK_MS: u64 = 100;
/// When to ask again for something that Graph still prepares, in milliseconds.
const PREPARING_MS: u64 = 250;
/// Chunks of an artefact that wait for a slow reader.
const CHUNKS_MAX: usize = 8;
const CANCEL_COMMENT: &str = "The appointment was cancelled.";

/// The adapter.
#[derive(Debug)]
pub struct GraphCalendar {
    graph: Graph,
    callback_uri: String,
    lobby_bypass: String,
}

impl GraphCalendar {
    /// Nothing is sent yet.
    pub fn new(config: GraphConfig, callback_uri: String, lobby_bypass: String) -> Result<Self> {
        Ok(Self {
            graph: Graph::new(config).map_err(failed)?,
            callback_uri,
            lobby_bypass,
        })
    }

    /// The one event of a key: look up first, because an earlier try may have made it without our knowing (I2).
    async fn event(&self, wish: &Wish) -> Result<Event> {
        let user = &wish.organizer;
        let found = self
            .graph
            .find_events(user, &wish.key)
            .await
            .map_err(failed)?;
        if let Some(event) = found.into_iter().next() {
            return Ok(event);
        }
        let new = NewEvent {
            subject: wish.subject.clone(),
            start: utc(wish.interval.start())?,
            end: utc(wish.interval.end())?,
            key: wish.key.clone(),
        };
        match self.graph.create_event(user, &new).await {
            // The other documented answer to a repeated transactionId: it is there, so it is found.
            Err(GraphError::Refused { status: 409, .. }) => {
                let found = self
                    .graph
                    .find_events(user, &wish.key)
                    .await
                    .map_err(failed)?;
                found.into_iter().next().ok_or_else(preparing)
            }
            created => created.map_err(failed),
        }
    }

    async fn online_meeting(&self, user: &str, event: Event) -> Result<OnlineMeeting> {
        let event = match event.join_url() {
            Some(_) => event,
            // Graph may still be making the online half.
            None => self
                .graph
                .get_event(user, &event.id)
                .await
                .map_err(failed)?,
        };
        let join_url = event.join_url().ok_or_else(preparing)?;
        self.graph
            .find_online_meeting(user, join_url)
            .await
            .map_err(failed)?
            .ok_or_else(preparing)
    }

    /// Waits, within bounds, until an operation is over.
    async fn settled(&self, call: &str, operation: Operation) -> Result<Told> {
        let mut operation = operation;
        for _ in 0..LOOKS_MAX {
            match operation.status() {
                OperationStatus::Completed => return Ok(Told::Done),
                OperationStatus::Failed => {
                    let subcode = operation.result_info.map_or(0, |info| info.subcode);
                    return Ok(Told::Refused(format!("PROVIDER_SUBCODE_{subcode}")));
                }
                OperationStatus::Running => {}
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            let looked = self.graph.get_operation(call, &operation.id).await;
            operation = looked.map_err(failed)?;
        }
        Err(preparing())
    }
}

#[async_trait]
impl Provider for GraphCalendar {
    fn name(&self) -> &'static str {
        "graph-calendar"
    }

    fn description(&self) -> &'static str {
        "Teams-style meetings behind calendar events, through a Graph-like API"
    }

    fn capabilities(&self) -> Vec<Capability> {
        GRAPH_CALENDAR.to_vec()
    }

    async fn ensure(&self, wish: &Wish) -> Result<Made> {
        let user = &wish.organizer;
        let event = self.event(wish).await?;
        let event_id = event.id.clone();
        let meeting = self.online_meeting(user, event).await?;
        let options = MeetingOptions {
            lobby_bypass_settings: Some(LobbyBypassSettings {
                scope: self.lobby_bypass.clone(),
            }),
        };
        let meeting = self
            .graph
            .patch_online_meeting(user, &meeting.id, &options)
            .await
            .map_err(failed)?;
        let effective = meeting
            .lobby_bypass_settings
            .as_ref()
            .map(|settings| settings.scope.clone());
        Ok(Made {
            external: External {
                provider: self.name().to_owned(),
                organizer_id: meeting.organizer_id().unwrap_or(user).to_owned(),
                event_id,
                online_meeting_id: meeting.id.clone(),
                lobby_bypass_wanted: self.lobby_bypass.clone(),
                lobby_bypass_effective: effective.unwrap_or_else(|| "unknown".to_owned()),
            },
            details: details(meeting),
        })
    }

    async fn remove(&self, organizer: &str, key: &str, keep: Option<&str>) -> Result<usize> {
        let found = self
            .graph
            .find_events(organizer, key)
            .await
            .map_err(failed)?;
        let count = found.len();
        for event in found {
            if keep != Some(event.id.as_str()) {
                let cancelled = self
                    .graph
                    .cancel_event(organizer, &event.id, CANCEL_COMMENT);
                cancelled.await.map_err(failed)?;
            }
        }
        Ok(count)
    }

    async fn join(&self, meeting: &External, call: Option<&str>) -> Result<String> {
        let standing = match call {
            Some(call) => match self.graph.get_call(call).await {
                Ok(call) if call.state != CallState::Terminated => Some(call),
                Ok(_) | Err(GraphError::NotFound { .. }) => None,
                Err(error) => return Err(failed(error)),
            },
            None => None,
        };
        let mut call = match standing {
            Some(call) => call,
            None => {
                let user = &meeting.organizer_id;
                let online = self
                    .graph
                    .get_online_meeting(user, &meeting.online_meeting_id)
                    .await
                    .map_err(failed)?;
                let thread_id = online.thread_id().ok_or_else(preparing)?.to_owned();
                let join = JoinCall {
                    callback_uri: self.callback_uri.clone(),
                    organizer_id: user.clone(),
                    thread_id,
                };
                self.graph.join_call(&join).await.map_err(failed)?
            }
        };
        for _ in 0..LOOKS_MAX {
            if call.state == CallState::Established {
                return Ok(call.id);
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            call = self.graph.get_call(&call.id).await.map_err(failed)?;
        }
        Err(preparing())
    }

    async fn start_capture(&self, call: &str, context: &str) -> Result<Told> {
        // After an unknown outcome it may already run; the roster tells.
        if self.graph.is_recording(call).await.map_err(failed)? {
            return Ok(Told::Done);
        }
        let started = self.graph.start_recording(call, context).await;
        self.settled(call, started.map_err(failed)?).await
    }

    async fn stop_capture(&self, call: &str, context: &str) -> Result<Told> {
        match self.graph.is_recording(call).await {
            Ok(true) => {}
            // A call that is gone records nothing.
            Ok(false) | Err(GraphError::NotFound { .. }) => return Ok(Told::Done),
            Err(error) => return Err(failed(error)),
        }
        let stopped = self.graph.stop_recording(call, context).await;
        self.settled(call, stopped.map_err(failed)?).await
    }

    async fn locate_artefact(
        &self,
        meeting: &External,
        call: &str,
        nth: usize,
    ) -> Result<Option<String>> {
        let user = &meeting.organizer_id;
        let recordings = self
            .graph
            .list_recordings(user, &meeting.online_meeting_id)
            .await
            .map_err(failed)?;
        Ok(recordings
            .into_iter()
            .filter(|recording| recording.call_id.as_deref() == Some(call))
            .nth(nth)
            .map(|recording| recording.id))
    }

    fn artefact<'a>(
        &'a self,
        meeting: &'a External,
        artefact: &'a str,
    ) -> BoxFuture<'a, Result<(String, Chunks)>> {
        Box::pin(async move {
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
        })
    }

    async fn leave(&self, call: &str) -> Result<()> {
        self.graph.hang_up(call).await.map(drop).map_err(failed)
    }
}

fn details(meeting: OnlineMeeting) -> JoinDetails {
    let digits = meeting.join_meeting_id_settings;
    let dial_in = meeting.audio_conferencing;
    JoinDetails {
        join_url: meeting.join_web_url,
        join_meeting_id: digits
            .as_ref()
            .and_then(|digits| digits.join_meeting_id.clone())
            .unwrap_or_default(),
        passcode: digits
            .and_then(|digits| digits.passcode)
            .unwrap_or_default(),
        dial_in_numbers: dial_in
            .as_ref()
            .and_then(|dial_in| dial_in.toll_number.clone())
            .into_iter()
            .collect(),
        conference_id: dial_in
            .and_then(|dial_in| dial_in.conference_id)
            .unwrap_or_default(),
    }
}

fn utc(time: Timestamp) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(time.as_millis())
        .ok_or_else(|| Error::internal("a time that no calendar has"))
}

fn preparing() -> Error {
    Error::unavailable("PROVIDER_PREPARING", "the provider is still preparing this")
        .retry_after(Some(Duration::from_millis(PREPARING_MS)))
}

/// What the broker makes of Graph's failures: transient ones are tried again by the job, the others end it.
fn failed(error: GraphError) -> Error {
    let reason = error.reason();
    let detail = error.to_string();
    if error.is_transient() {
        Error::unavailable(
            reason,
            "the provider does not answer as it should; it is asked again",
        )
        .retry_after(error.retry_after())
        .with_detail(detail)
    } else {
        Error::refused(
            reason,
            "the provider refuses; operators find the remedy in the log",
        )
        .with_detail(detail)
    }
}
