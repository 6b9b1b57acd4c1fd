//! The effects of meetings at the provider.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use convene_domain::{
    MeetingId, TenantId,
    meeting::{Capture, Effect, Event, External, Meeting, Phase, SegmentId, StopCause},
};
use convene_kit::{
    Code, Deps, Error, Result, Row,
    jobs::{Done, Job, Worker},
    keys::Sealer,
};

use crate::{
    provider::{Provider, Told, Wish},
    store::{
        join_details,
        meeting::{self, Meetings},
    },
};

/// When to look again for an artefact that the provider prepares, in milliseconds.
const ARTEFACT_MS: u64 = 250;

pub(crate) struct MeetingWorker {
    deps: Deps,
    provider: Arc<dyn Provider>,
    sealer: Sealer,
}

impl MeetingWorker {
    pub fn new(deps: Deps, provider: Arc<dyn Provider>, sealer: Sealer) -> Self {
        Self {
            deps,
            provider,
            sealer,
        }
    }

    async fn create(&self, tenant: TenantId, row: &Row<Meeting>) -> Result<Done<Meetings>> {
        let id = MeetingId::from_uuid(row.id);
        let beside = meeting::beside(self.deps.db.read(), tenant, id).await?;
        let wish = Wish {
            subject: beside.subject,
            organizer: beside.organizer,
            interval: row.machine.interval,
            key: id.external_key(tenant).to_string(),
        };
        let made = match self.provider.ensure(&wish).await {
            Ok(made) => made,
            Err(error) if error.code == Code::Refused => {
                return Ok(Done::fact(Event::MeetingFailed {
                    reason: error.reason.into_owned(),
                }));
            }
            Err(error) => return Err(error),
        };
        let sealed = join_details::seal(&self.sealer, tenant, id, &made.details)?;
        let event = Event::MeetingReady {
            external: made.external,
        };
        Ok(Done::fact(event).with(move |tx, _| {
            Box::pin(async move { join_details::store(tx, tenant, id, sealed).await })
        }))
    }

    /// Removes what carries the meeting's key, except the one that is to stay.
    async fn remove(
        &self,
        tenant: TenantId,
        row: &Row<Meeting>,
        keep: Option<&str>,
    ) -> Result<usize> {
        let id = MeetingId::from_uuid(row.id);
        let beside = meeting::beside(self.deps.db.read(), tenant, id).await?;
        let key = id.external_key(tenant).to_string();
        self.provider.remove(&beside.organizer, &key, keep).await
    }

    async fn reconcile(&self, tenant: TenantId, row: &Row<Meeting>) -> Result<Done<Meetings>> {
        let keep = match (&row.machine.phase, &row.machine.external) {
            (Phase::Ready, Some(external)) => Some(external.event_id.as_str()),
            (Phase::Cancelled, _) => None,
            _ => return Ok(Done::nothing()),
        };
        let found = self.remove(tenant, row, keep).await?;
        let expected = usize::from(keep.is_some());
        if found != expected {
            tracing::warn!(meeting = %row.id, found, expected, "the provider had another number of meetings");
        }
        Ok(Done::nothing())
    }

    async fn start(&self, row: &Row<Meeting>, segment: SegmentId) -> Result<Done<Meetings>> {
        let external = external(&row.machine)?;
        let known = row.machine.call.as_deref();
        let refused = |reason: String| Done::fact(Event::CaptureFailed { segment, reason });
        let call = match self.provider.join(external, known).await {
            Ok(call) => call,
            Err(error) if error.code == Code::Refused => {
                return Ok(refused(error.reason.into_owned()));
            }
            Err(error) => return Err(error),
        };
        let joined = Event::CallJoined { call: call.clone() };
        if known != Some(call.as_str()) {
            // Kept before it is used: after a crash the next try goes on with this call.
            self.keep(row, joined).await?;
        }
        match self.provider.start_capture(&call, &context(segment)).await {
            Ok(Told::Done) => Ok(Done::fact(Event::CaptureStarted { segment, call })),
            Ok(Told::Refused(reason)) => Ok(refused(reason)),
            Err(error) if error.code == Code::Refused => Ok(refused(error.reason.into_owned())),
            Err(error) => Err(error),
        }
    }

    async fn keep(&self, row: &Row<Meeting>, event: Event) -> Result<()> {
        let origin = convene_kit::Origin {
            tenant: row.tenant,
            actor: format!("system:{}", crate::NAME),
            now: self.deps.clock.now(),
            traceparent: convene_kit::telemetry::current(),
        };
        let id = row.id;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    convene_kit::store::change::<Meetings>(tx, &origin, id, event).await
                })
            })
            .await
            .map(drop)
    }

    async fn stop(&self, row: &Row<Meeting>, segment: SegmentId) -> Result<Done<Meetings>> {
        let cause = match row.machine.capture {
            Capture::Stopping { cause, .. } => cause,
            _ => StopCause::Requested,
        };
        if let Some(call) = &row.machine.call {
            match self.provider.stop_capture(call, &context(segment)).await? {
                Told::Done => {}
                Told::Refused(reason) => {
                    return Err(Error::unavailable(
                        "CAPTURE_NOT_STOPPED",
                        "the provider did not stop recording; it is told again",
                    )
                    .with_detail(reason));
                }
            }
        }
        Ok(Done::fact(Event::CaptureStopped { segment, cause }))
    }

    async fn locate(&self, row: &Row<Meeting>, id: SegmentId) -> Result<Done<Meetings>> {
        let external = external(&row.machine)?;
        let segments = &row.machine.segments;
        let Some(segment) = row.machine.segment(id) else {
            return Ok(Done::nothing());
        };
        // The provider names the call only: captures through one call are told apart by their order.
        let nth = segments
            .iter()
            .filter(|other| other.call == segment.call)
            .position(|other| other.id == id)
            .unwrap_or(0);
        let found = self.provider.locate_artefact(external, &segment.call, nth);
        match found.await? {
            Some(artefact) => Ok(Done::fact(Event::ArtefactReady {
                segment: id,
                artefact,
            })),
            None => Err(Error::unavailable(
                "ARTEFACT_NOT_READY",
                "the provider still prepares the recording",
            )
            .retry_after(Some(Duration::from_millis(ARTEFACT_MS)))),
        }
    }
}

#[async_trait]
impl Worker for MeetingWorker {
    type Table = Meetings;

    async fn run(&self, job: &Job<Effect>, row: Row<Meeting>) -> Result<Done<Meetings>> {
        match job.effect {
            Effect::CreateMeeting => self.create(job.tenant, &row).await,
            Effect::CancelMeeting => {
                self.remove(job.tenant, &row, None).await?;
                Ok(Done::fact(Event::MeetingCancelled))
            }
            Effect::Reconcile => self.reconcile(job.tenant, &row).await,
            Effect::StartCapture { segment } => self.start(&row, segment).await,
            Effect::StopCapture { segment } => self.stop(&row, segment).await,
            Effect::LocateArtefact { segment } => self.locate(&row, segment).await,
            Effect::LeaveCall => {
                if let Some(call) = &row.machine.call {
                    self.provider.leave(call).await?;
                }
                Ok(Done::fact(Event::CallLeft))
            }
        }
    }

    async fn give_up(&self, job: &Job<Effect>, error: &Error) -> Option<Done<Meetings>> {
        let reason = error.reason.to_string();
        match job.effect {
            Effect::CreateMeeting => Some(Done::fact(Event::MeetingFailed { reason })),
            Effect::StartCapture { segment } => {
                Some(Done::fact(Event::CaptureFailed { segment, reason }))
            }
            // Anything else stays for operators: to say that it is done would be a lie.
            _ => None,
        }
    }
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
