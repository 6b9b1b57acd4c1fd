//! The gRPC edge: decode, call the service, encode.

use convene_domain::meeting::Decided;
use convene_kit::{
    Context, Error,
    caller::Callers,
    convert::{id, required_time},
    limits,
};
use convene_proto::meeting::v1::{self as wire, meeting_broker_server};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{convert, provider::Chunks, service::Broker};

type Answer<T> = Result<Response<T>, Status>;

/// Chunks that wait for a slow reader.
const CHUNKS_MAX: usize = 4;

pub struct Rpc {
    callers: Callers,
    broker: Broker,
}

impl Rpc {
    pub fn new(callers: Callers, broker: Broker) -> Self {
        Self { callers, broker }
    }
}

#[tonic::async_trait]
impl meeting_broker_server::MeetingBroker for Rpc {
    type ReadArtefactStream = ReceiverStream<Result<wire::ArtefactChunk, Status>>;

    async fn ensure_meeting(
        &self,
        request: Request<wire::EnsureMeetingRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::ensure_meeting(request.into_inner())?;
        let view = self.broker.ensure_meeting(&context, wish).await?;
        Ok(Response::new(convert::meeting(view)))
    }

    async fn get_meeting(
        &self,
        request: Request<wire::GetMeetingRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let view = self.broker.get_meeting(&context, id).await?;
        Ok(Response::new(convert::meeting(view)))
    }

    async fn cancel_meeting(
        &self,
        request: Request<wire::CancelMeetingRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let reason = convene_kit::convert::text("reason", &request.reason)?;
        let view = self.broker.cancel_meeting(&context, id, reason).await?;
        Ok(Response::new(convert::meeting(view)))
    }

    async fn move_meeting(
        &self,
        request: Request<wire::MoveMeetingRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let start = required_time("start", request.start)?;
        let interval = convert::interval(start, required_time("end", request.end)?)?;
        let moved = self
            .broker
            .move_meeting(&context, id, interval, request.moves);
        Ok(Response::new(convert::meeting(moved.await?)))
    }

    async fn end_meeting(
        &self,
        request: Request<wire::EndMeetingRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let view = self.broker.end_meeting(&context, id).await?;
        Ok(Response::new(convert::meeting(view)))
    }

    async fn release_join_details(
        &self,
        request: Request<wire::ReleaseJoinDetailsRequest>,
    ) -> Answer<wire::JoinDetails> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let audience = id("audience", &request.audience)?;
        let released = self
            .broker
            .release_join_details(&context, &request.permit, audience);
        let (claims, details) = released.await?;
        let details = convert::join_details(claims.meeting.to_string(), details);
        Ok(Response::new(details))
    }

    async fn record_consent(
        &self,
        request: Request<wire::RecordConsentRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let meeting = id("meeting_id", &request.meeting_id)?;
        let audience = id("audience", &request.audience)?;
        let decided = Decided {
            given: request.given,
            version: request.version,
        };
        let recorded = self
            .broker
            .record_consent(&context, meeting, audience, decided);
        Ok(Response::new(convert::meeting(recorded.await?)))
    }

    async fn start_capture(
        &self,
        request: Request<wire::StartCaptureRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let meeting = id("meeting_id", &request.meeting_id)?;
        let segment = convert::segment(&request.recording_id, request.segment)?;
        let view = self.broker.start_capture(&context, meeting, segment);
        Ok(Response::new(convert::meeting(view.await?)))
    }

    async fn stop_capture(
        &self,
        request: Request<wire::StopCaptureRequest>,
    ) -> Answer<wire::Meeting> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let meeting = id("meeting_id", &request.meeting_id)?;
        let segment = convert::segment(&request.recording_id, request.segment)?;
        let view = self.broker.stop_capture(&context, meeting, segment);
        Ok(Response::new(convert::meeting(view.await?)))
    }

    async fn read_artefact(
        &self,
        request: Request<wire::ReadArtefactRequest>,
    ) -> Answer<Self::ReadArtefactStream> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let meeting = id("meeting_id", &request.meeting_id)?;
        let segment = convert::segment(&request.recording_id, request.segment)?;
        let artefact = self.broker.read_artefact(&context, meeting, segment);
        let (content_type, chunks) = artefact.await?;
        let (send, stream) = mpsc::channel(CHUNKS_MAX);
        tokio::spawn(forward(content_type, chunks, send));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn list_providers(
        &self,
        request: Request<wire::ListProvidersRequest>,
    ) -> Answer<wire::ListProvidersResponse> {
        Context::accept(&self.callers, &request)?;
        let providers = self.broker.providers().map(convert::provider).into();
        Ok(Response::new(wire::ListProvidersResponse { providers }))
    }

    async fn provider_health(
        &self,
        request: Request<wire::ProviderHealthRequest>,
    ) -> Answer<wire::ProviderHealth> {
        let context = Context::accept(&self.callers, &request)?;
        let users = request.into_inner().users;
        let findings = self.broker.provider_health(&context, users).await?;
        let findings = findings.into_iter().map(convert::finding).collect();
        Ok(Response::new(wire::ProviderHealth { findings }))
    }
}

/// Cuts the provider's chunks to size; the first one names the content type.
async fn forward(
    content_type: String,
    mut chunks: Chunks,
    send: mpsc::Sender<Result<wire::ArtefactChunk, Status>>,
) {
    let mut content_type = Some(content_type);
    while let Some(chunk) = chunks.recv().await {
        let bytes = match chunk {
            Ok(bytes) => bytes,
            Err(error) => {
                let _ = send.send(Err(Error::into(error))).await;
                return;
            }
        };
        for piece in bytes.chunks(limits::CHUNK_BYTES) {
            let piece = wire::ArtefactChunk {
                data: piece.to_vec(),
                content_type: content_type.take().unwrap_or_default(),
            };
            if send.send(Ok(piece)).await.is_err() {
                return;
            }
        }
    }
}
