//! Segments are asked for, ended and fetched.

use async_trait::async_trait;
use convene_domain::{
    RecordingId,
    meeting::{SegmentId, StopCause},
    recording::{Effect, Event, Recording},
};
use convene_kit::{
    Db, Error, Result, Row,
    jobs::{Done, Job, Worker},
};
use convene_proto::meeting::v1::CaptureState;

use super::consent::tell_all;
use crate::{artefacts::Artefacts, peers::Broker, store::recording::Recordings};

/// The broker's word for a door that another segment holds.
const CAPTURE_BUSY: &str = "CAPTURE_BUSY";

/// Does the effects of recordings.
pub struct RecordingWorker {
    db: Db,
    broker: Broker,
    artefacts: Artefacts,
}

impl RecordingWorker {
    pub fn new(db: Db, broker: Broker, artefacts: Artefacts) -> Self {
        Self {
            db,
            broker,
            artefacts,
        }
    }

    async fn start(&self, row: &Row<Recording>, id: SegmentId) -> Result<Event> {
        let (tenant, meeting) = (row.tenant, row.machine.meeting);
        // Their own jobs may come later than this one; the broker would refuse for want of what the ledger has.
        tell_all(&self.broker, &self.db, tenant, meeting).await?;
        let segment = id.segment;
        match self.broker.start_capture(tenant, meeting, id).await {
            Ok(()) => Ok(Event::CaptureAccepted { segment }),
            Err(error) if error.reason == CAPTURE_BUSY => self.busy(row, id, error).await,
            Err(error) if error.is_refusal() => Ok(Event::CaptureFailed {
                segment,
                reason: error.reason.into_owned(),
            }),
            Err(error) => Err(error),
        }
    }

    /// A capture that is stopping leaves the door free soon; one that runs does not.
    async fn busy(&self, row: &Row<Recording>, id: SegmentId, error: Error) -> Result<Event> {
        let met = self.broker.meeting_now(row.tenant, row.machine.meeting);
        match met.await?.capture {
            CaptureState::Unspecified | CaptureState::Off | CaptureState::Stopping => {
                Err(Error::unavailable(
                    "CAPTURE_STOPPING",
                    "the segment before this one is still being stopped; it is tried again",
                ))
            }
            CaptureState::Starting | CaptureState::On => Ok(Event::CaptureFailed {
                segment: id.segment,
                reason: error.reason.into_owned(),
            }),
        }
    }

    /// The end of a segment that began comes with the broker's feed; of one that never did, from here.
    async fn stop(&self, row: &Row<Recording>, id: SegmentId) -> Result<Option<Event>> {
        let met = self
            .broker
            .stop_capture(row.tenant, row.machine.meeting, id);
        let gone = met.await?.segment != Some(id);
        let began = row.machine.segments.contains_key(&id.segment);
        Ok((gone && !began).then_some(Event::CaptureStopped {
            segment: id.segment,
            cause: StopCause::Requested,
        }))
    }

    async fn fetch(&self, row: &Row<Recording>, id: SegmentId) -> Result<Event> {
        let media = self
            .broker
            .read_artefact(row.tenant, row.machine.meeting, id);
        let media = media.await?;
        let stored = self
            .artefacts
            .store(row.tenant, id, &media.content_type, media.bytes);
        Ok(Event::ArtefactStored {
            segment: id.segment,
            artefact: stored.await?,
        })
    }
}

#[async_trait]
impl Worker for RecordingWorker {
    type Table = Recordings;

    async fn run(&self, job: &Job<Effect>, row: Row<Recording>) -> Result<Done<Recordings>> {
        let id = |segment| SegmentId {
            recording: RecordingId::from_uuid(job.object),
            segment,
        };
        let fact = match job.effect {
            Effect::StartCapture { segment } => Some(self.start(&row, id(segment)).await?),
            Effect::StopCapture { segment } => self.stop(&row, id(segment)).await?,
            Effect::FetchArtefact { segment } => Some(self.fetch(&row, id(segment)).await?),
        };
        Ok(fact.map_or_else(Done::nothing, Done::fact))
    }

    async fn give_up(&self, job: &Job<Effect>, error: &Error) -> Option<Done<Recordings>> {
        match job.effect {
            Effect::StartCapture { segment } => Some(Done::fact(Event::CaptureFailed {
                segment,
                reason: error.reason.to_string(),
            })),
            Effect::StopCapture { .. } | Effect::FetchArtefact { .. } => None,
        }
    }
}
