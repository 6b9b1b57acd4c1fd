//! Being in the meeting, and recording there: Graph beta's start and stop.

use std::time::Duration;

use convene_domain::meeting::External;
use convene_graph::{CallState, GraphError, JoinCall, Operation, OperationStatus};
use convene_kit::{Error, Result};

use super::{
    GraphCalendar,
    failure::{failed, preparing},
};
use crate::provider::Told;

/// Looks at a call or an operation that is not done, within one try of a job; then the job's own backoff takes over.
const LOOKS_MAX: u32 = 100;
/// Pause between two looks, in milliseconds.
const LOOK_MS: u64 = 100;

/// How an operation ended.
enum Ended {
    Completed,
    Failed(i64),
    /// With its call.
    CallGone,
}

impl GraphCalendar {
    pub(super) async fn joined(&self, meeting: &External) -> Result<String> {
        let user = &meeting.organizer_id;
        let online = self
            .graph
            .get_online_meeting(user, &meeting.online_meeting_id)
            .await
            .map_err(failed)?;
        let join = JoinCall {
            callback_uri: self.callback_uri.clone(),
            organizer_id: user.clone(),
            thread_id: online.thread_id().ok_or_else(preparing)?.to_owned(),
        };
        let call = self.graph.join_call(&join).await.map_err(failed)?;
        Ok(call.id)
    }

    pub(super) async fn is_connected(&self, call: &str) -> Result<bool> {
        for _ in 0..LOOKS_MAX {
            match self.graph.get_call(call).await {
                Ok(call) if call.state == CallState::Established => return Ok(true),
                Ok(call)
                    if matches!(call.state, CallState::Terminating | CallState::Terminated) =>
                {
                    return Ok(false);
                }
                Ok(_) => tokio::time::sleep(Duration::from_millis(LOOK_MS)).await,
                Err(GraphError::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(preparing())
    }

    /// By the roster; a call that is over records nothing.
    pub(super) async fn is_recording(&self, call: &str) -> Result<bool> {
        match self.graph.is_recording(call).await {
            Err(GraphError::NotFound { .. }) => Ok(false),
            recording => recording.map_err(failed),
        }
    }

    pub(super) async fn started(&self, call: &str, context: &str) -> Result<Told> {
        // After an unknown outcome it may already run.
        match self.graph.is_recording(call).await {
            Ok(true) => return Ok(Told::Done),
            Ok(false) => {}
            Err(error) => return refused(error),
        }
        let reason = match self.graph.start_recording(call, context).await {
            Ok(operation) => match self.ended(call, operation).await? {
                Ended::Completed => return Ok(Told::Done),
                Ended::Failed(subcode) => format!("PROVIDER_SUBCODE_{subcode}"),
                Ended::CallGone => return Err(preparing()),
            },
            Err(error) => match refused(error)? {
                Told::Refused(reason) => reason,
                Told::Done => return Ok(Told::Done),
            },
        };
        // An earlier start whose answer was lost may have come into force meanwhile: then this one was the second.
        Ok(match self.is_recording(call).await? {
            true => Told::Done,
            false => Told::Refused(reason),
        })
    }

    /// The stop is sent whatever the roster says, because a roster can lag behind.
    pub(super) async fn stopped(&self, call: &str, context: &str) -> Result<()> {
        let detail = match self.graph.stop_recording(call, context).await {
            Ok(operation) => match self.ended(call, operation).await? {
                Ended::Completed | Ended::CallGone => return Ok(()),
                Ended::Failed(subcode) => format!("subcode {subcode}"),
            },
            Err(GraphError::NotFound { .. }) => return Ok(()),
            Err(error) if error.is_transient() => return Err(failed(error)),
            Err(error) => error.to_string(),
        };
        // There was nothing to stop, or an earlier stop did it.
        match self.is_recording(call).await? {
            false => Ok(()),
            true => Err(Error::unavailable(
                "CAPTURE_NOT_STOPPED",
                "the provider did not stop recording; it is told again",
            )
            .with_detail(detail)),
        }
    }

    /// Waits, within bounds, until an operation is over.
    async fn ended(&self, call: &str, operation: Operation) -> Result<Ended> {
        let mut operation = operation;
        for _ in 0..LOOKS_MAX {
            match operation.status() {
                OperationStatus::Completed => return Ok(Ended::Completed),
                OperationStatus::Failed => {
                    let subcode = operation.result_info.map_or(0, |info| info.subcode);
                    return Ok(Ended::Failed(subcode));
                }
                OperationStatus::Running => {}
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            operation = match self.graph.get_operation(call, &operation.id).await {
                Err(GraphError::NotFound { .. }) => return Ok(Ended::CallGone),
                looked => looked.map_err(failed)?,
            };
        }
        Err(preparing())
    }
}

/// A start that is refused for good; anything else is worth another try.
fn refused(error: GraphError) -> Result<Told> {
    match error {
        GraphError::NotFound { .. } => Err(preparing()),
        error if error.is_transient() => Err(failed(error)),
        error => Ok(Told::Refused(error.reason().to_owned())),
    }
}
