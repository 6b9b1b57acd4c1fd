//! The gRPC edge: decode, call the service, encode.

use convene_kit::{Context, caller::Callers, convert::id};
use convene_proto::recording::v1::{self as wire, recording_coordinator_server};
use futures_util::{StreamExt as _, stream::BoxStream};
use tonic::{Request, Response, Status};

use crate::{
    convert,
    service::{Coordinator, Opened},
    store::{consent, recording},
};

type Answer<T> = Result<Response<T>, Status>;

pub struct Rpc {
    callers: Callers,
    coordinator: Coordinator,
}

impl Rpc {
    pub fn new(callers: Callers, coordinator: Coordinator) -> Self {
        Self {
            callers,
            coordinator,
        }
    }

    fn media(&self, opened: Opened) -> BoxStream<'static, Result<wire::ArtefactChunk, Status>> {
        let Opened {
            tenant,
            segment,
            artefact,
        } = opened;
        let mut head = Some((artefact.content_type.clone(), artefact.size_bytes));
        let bytes = self.coordinator.artefacts().read(tenant, segment, artefact);
        bytes
            .map(move |chunk| {
                let (content_type, size_bytes) = head.take().unwrap_or_default();
                Ok(wire::ArtefactChunk {
                    data: chunk?.into(),
                    content_type,
                    size_bytes,
                })
            })
            .boxed()
    }
}

fn consent(row: consent::Model) -> Answer<wire::Consent> {
    Ok(Response::new(convert::consent(&row)?))
}

fn recording(row: recording::Model) -> Answer<wire::Recording> {
    Ok(Response::new(convert::recording(&row)?))
}

#[tonic::async_trait]
impl recording_coordinator_server::RecordingCoordinator for Rpc {
    type ReadArtefactStream = BoxStream<'static, Result<wire::ArtefactChunk, Status>>;

    async fn give_consent(
        &self,
        request: Request<wire::GiveConsentRequest>,
    ) -> Answer<wire::Consent> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::give_consent(request.into_inner())?;
        consent(self.coordinator.give_consent(&context, wish).await?)
    }

    async fn withdraw_consent(
        &self,
        request: Request<wire::WithdrawConsentRequest>,
    ) -> Answer<wire::Consent> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let (booking, meeting) = convert::meeting_of(&request.booking_id, &request.meeting_id)?;
        let withdrawn = self
            .coordinator
            .withdraw_consent(&context, booking, meeting);
        consent(withdrawn.await?)
    }

    async fn list_consents(
        &self,
        request: Request<wire::ListConsentsRequest>,
    ) -> Answer<wire::ListConsentsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let meeting = id("meetingId", &request.into_inner().meeting_id)?;
        let rows = self.coordinator.list_consents(&context, meeting).await?;
        let consents = rows.iter().map(convert::consent);
        Ok(Response::new(wire::ListConsentsResponse {
            consents: consents.collect::<convene_kit::Result<_>>()?,
        }))
    }

    async fn start_recording(
        &self,
        request: Request<wire::StartRecordingRequest>,
    ) -> Answer<wire::Recording> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let (booking, meeting) = convert::meeting_of(&request.booking_id, &request.meeting_id)?;
        let started = self.coordinator.start_recording(&context, booking, meeting);
        recording(started.await?)
    }

    async fn pause_recording(
        &self,
        request: Request<wire::PauseRecordingRequest>,
    ) -> Answer<wire::Recording> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        recording(self.coordinator.pause_recording(&context, id).await?)
    }

    async fn resume_recording(
        &self,
        request: Request<wire::ResumeRecordingRequest>,
    ) -> Answer<wire::Recording> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        recording(self.coordinator.resume_recording(&context, id).await?)
    }

    async fn stop_recording(
        &self,
        request: Request<wire::StopRecordingRequest>,
    ) -> Answer<wire::Recording> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        recording(self.coordinator.stop_recording(&context, id).await?)
    }

    async fn get_recording(
        &self,
        request: Request<wire::GetRecordingRequest>,
    ) -> Answer<wire::Recording> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        recording(self.coordinator.get_recording(&context, id).await?)
    }

    async fn list_recordings(
        &self,
        request: Request<wire::ListRecordingsRequest>,
    ) -> Answer<wire::ListRecordingsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let booking = id("bookingId", &request.into_inner().booking_id)?;
        let rows = self.coordinator.list_recordings(&context, booking).await?;
        let recordings = rows.iter().map(convert::recording);
        Ok(Response::new(wire::ListRecordingsResponse {
            recordings: recordings.collect::<convene_kit::Result<_>>()?,
        }))
    }

    async fn read_artefact(
        &self,
        request: Request<wire::ReadArtefactRequest>,
    ) -> Answer<Self::ReadArtefactStream> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("recordingId", &request.recording_id)?;
        let opened = self
            .coordinator
            .open_artefact(&context, id, request.segment);
        Ok(Response::new(self.media(opened.await?)))
    }
}
