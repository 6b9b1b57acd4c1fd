//! Recording: a capture is what the provider confirms (I5).

use std::time::Duration;

use convene_domain::meeting::{Capture, Event, External, Meeting, SegmentId, StopCause};
use convene_kit::{Code, Error, Origin, Result, Row, jobs::Done, store as spine, telemetry};

use super::{MeetingWorker, creation::UNAVAILABLE};
use crate::{
    provider::{Captured, Told},
    store::meeting::Meetings,
};

/// First and longest pause between two looks for an artefact, in milliseconds; doubled each time. Graph aims at ten seconds and allows itself an
/// hour: all tries of a job together wait for seventy minutes.
const LOCATE_MS: (u64, u64) = (250, 8 * 60_000);

impl MeetingWorker {
    pub(super) async fn start(
        &self,
        row: &Row<Meeting>,
        segment: SegmentId,
    ) -> Result<Done<Meetings>> {
        let call = match self.call(row).await {
            Err(error) if error.code == Code::Refused => {
                let reason = error.reason.into_owned();
                return Ok(Done::fact(Event::CaptureFailed { segment, reason }));
            }
            call => call?,
        };
        match self.provider.start_capture(&call, &context(segment)).await {
            Ok(Told::Done) => Ok(Done::fact(Event::CaptureStarted { segment, call })),
            Ok(Told::Refused(reason)) => {
                // Without its call no earlier start can come into force any more.
                self.provider.leave(&call).await?;
                Ok(Done::fact(Event::CallLeft).and(Event::CaptureFailed { segment, reason }))
            }
            // Only the answers above say for sure what is so.
            Err(error) => Err(uncertain(error)),
        }
    }

    /// The broker's call in the meeting, connected.
    async fn call(&self, row: &Row<Meeting>) -> Result<String> {
        if let Some(call) = &row.machine.call
            && self.provider.connected(call).await?
        {
            return Ok(call.clone());
        }
        let call = self.provider.join(external(&row.machine)?).await?;
        // Kept before it is waited for: whatever happens now, the next try goes on with this call.
        if let Err(error) = self
            .keep(row, Event::CallJoined { call: call.clone() })
            .await
        {
            self.provider.leave(&call).await?;
            return Err(error);
        }
        match self.provider.connected(&call).await? {
            true => Ok(call),
            false => Err(Error::unavailable(
                "PROVIDER_CALL_ENDED",
                "the call ended before it was connected; it is joined again",
            )),
        }
    }

    async fn keep(&self, row: &Row<Meeting>, event: Event) -> Result<()> {
        let origin = Origin {
            tenant: row.tenant,
            actor: format!("system:{}", crate::NAME),
            now: self.deps.clock.now(),
            traceparent: telemetry::current(),
        };
        let id = row.id;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move { spine::change::<Meetings>(tx, &origin, id, event).await })
            })
            .await
            .map(drop)
    }

    pub(super) async fn stop(
        &self,
        row: &Row<Meeting>,
        segment: SegmentId,
    ) -> Result<Done<Meetings>> {
        let cause = match row.machine.capture {
            Capture::Stopping { cause, .. } => cause,
            _ => StopCause::Requested,
        };
        let stopped = Event::CaptureStopped { segment, cause };
        let Some(call) = &row.machine.call else {
            return Ok(Done::fact(stopped));
        };
        let mut confirmed = row.machine.segment(segment).is_some();
        if !confirmed && self.provider.captures(call).await.map_err(uncertain)? {
            // It came into force although its confirmation was lost. What ran is on record before it is stopped.
            let call = call.clone();
            self.keep(row, Event::CaptureStarted { segment, call })
                .await?;
            confirmed = true;
        }
        self.provider
            .stop_capture(call, &context(segment))
            .await
            .map_err(uncertain)?;
        if confirmed {
            return Ok(Done::fact(stopped));
        }
        // The start may still be on its way: without its call it starts nothing, and is not taken for the next segment's.
        self.provider.leave(call).await.map_err(uncertain)?;
        Ok(Done::fact(Event::CallLeft).and(stopped))
    }

    pub(super) async fn locate(
        &self,
        row: &Row<Meeting>,
        id: SegmentId,
        attempt: i32,
    ) -> Result<Done<Meetings>> {
        let Some(segment) = row.machine.segment(id) else {
            return Ok(Done::nothing());
        };
        let through_call: Vec<_> = row
            .machine
            .segments
            .iter()
            .filter(|other| other.call == segment.call)
            .collect();
        let captured = Captured {
            call: &segment.call,
            nth: through_call
                .iter()
                .take_while(|other| other.id != id)
                .count(),
            ended: through_call.iter().filter(|other| other.stopped).count(),
        };
        let external = external(&row.machine)?;
        match self.provider.locate_artefact(external, &captured).await? {
            Some(artefact) => Ok(Done::fact(Event::ArtefactReady {
                segment: id,
                artefact,
            })),
            None => Err(Error::unavailable(
                "ARTEFACT_NOT_READY",
                "the provider still prepares the recording",
            )
            .retry_after(Some(locate_pause(attempt)))),
        }
    }

    pub(super) async fn leave(&self, row: &Row<Meeting>) -> Result<Done<Meetings>> {
        if let Some(call) = &row.machine.call {
            self.provider.leave(call).await?;
        }
        Ok(Done::fact(Event::CallLeft))
    }
}

/// After the last try to start. Once a call was joined a start may be in force that nobody confirmed: then it is stopped like any other capture, and
/// the door stays guarded until the provider confirms that.
pub(super) fn give_up_starting(meeting: &Meeting, segment: SegmentId) -> Event {
    match meeting.call {
        None => Event::CaptureFailed {
            segment,
            reason: UNAVAILABLE.reason.to_owned(),
        },
        Some(_) => Event::CaptureStopWanted { segment },
    }
}

/// A refusal that leaves open whether it records is not for good (I5): the provider is asked again.
fn uncertain(error: Error) -> Error {
    if error.code != Code::Refused {
        return error;
    }
    let detail = error.detail().unwrap_or_default().to_owned();
    Error::unavailable(
        error.reason,
        "the provider did not say whether it records; it is asked again",
    )
    .with_detail(detail)
}

fn external(meeting: &Meeting) -> Result<&External> {
    meeting
        .external
        .as_ref()
        .ok_or_else(|| Error::internal("a meeting without names at the provider"))
}

/// Our own words in an operation, at most 256 characters.
fn context(segment: SegmentId) -> String {
    format!("{}/{}", segment.recording, segment.segment)
}

fn locate_pause(attempt: i32) -> Duration {
    let (first, longest) = LOCATE_MS;
    let doublings = u32::try_from(attempt.clamp(1, 20) - 1).unwrap_or(0);
    Duration::from_millis(first.saturating_mul(1 << doublings).min(longest))
}

#[cfg(test)]
mod tests {
    use convene_kit::jobs::ATTEMPTS_MAX;

    use super::*;

    #[test]
    fn an_artefact_is_waited_for_as_long_as_graph_may_take() {
        let all: Duration = (1..ATTEMPTS_MAX).map(locate_pause).sum();
        assert_eq!(locate_pause(1), Duration::from_millis(250));
        assert!(all > Duration::from_secs(3_600), "{all:?}");
        assert_eq!(locate_pause(i32::MAX), Duration::from_secs(480));
    }
}
