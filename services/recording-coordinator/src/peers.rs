//! Calls to the meeting broker.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use convene_domain::{
    Audience, HostId, MeetingId, TenantId,
    meeting::{Decided, SegmentId},
};
use convene_kit::{Caller, Channel, Context, Error, Result, caller::Callers, limits};
use convene_proto::meeting::v1::{
    self as wire, CaptureState, MeetingPhase, meeting_broker_client::MeetingBrokerClient,
};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tonic::Streaming;

use crate::convert;

/// The longest wait for the next bytes of an artefact.
const CHUNK_WAIT: Duration = Duration::from_millis(30_000);

/// The way to the services below.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Meeting broker.
    pub broker: Channel,
}

/// A meeting as the broker answers it.
#[derive(Debug)]
pub(crate) struct Met {
    pub host: HostId,
    pub phase: MeetingPhase,
    pub holders: BTreeSet<Audience>,
    pub capture: CaptureState,
    /// What the capture belongs to; `None` when it is off.
    pub segment: Option<SegmentId>,
}

/// Recorded bytes on their way.
pub(crate) struct Media {
    pub content_type: String,
    pub bytes: BoxStream<'static, Result<Bytes>>,
}

/// The broker.
#[derive(Clone)]
pub(crate) struct Broker {
    channel: Channel,
    callers: Callers,
}

impl Broker {
    pub fn new(channel: Channel, callers: Callers) -> Self {
        Self { channel, callers }
    }

    fn client(&self) -> MeetingBrokerClient<Channel> {
        MeetingBrokerClient::new(self.channel.clone())
    }

    fn request<T>(&self, tenant: TenantId, message: T) -> Result<tonic::Request<T>> {
        own(tenant).request(&self.callers, message)
    }

    /// The meeting as it is, read for a caller.
    pub async fn meeting(&self, context: &Context, id: MeetingId) -> Result<Met> {
        let message = wire::GetMeetingRequest { id: id.to_string() };
        let request = context.request(&self.callers, message)?;
        let meeting = self.client().get_meeting(request).await?.into_inner();
        convert::met(meeting)
    }

    /// The meeting as it is, read for the coordinator itself.
    pub async fn meeting_now(&self, tenant: TenantId, id: MeetingId) -> Result<Met> {
        self.meeting(&own(tenant), id).await
    }

    /// Tells a decision; repeats are harmless.
    pub async fn record_consent(
        &self,
        tenant: TenantId,
        meeting: MeetingId,
        audience: Audience,
        decided: Decided,
    ) -> Result<()> {
        let message = wire::RecordConsentRequest {
            meeting_id: meeting.to_string(),
            audience: audience.to_string(),
            given: decided.given,
            version: decided.version,
        };
        let request = self.request(tenant, message)?;
        self.client().record_consent(request).await?;
        Ok(())
    }

    /// Asks for a segment; repeats are harmless.
    pub async fn start_capture(
        &self,
        tenant: TenantId,
        meeting: MeetingId,
        id: SegmentId,
    ) -> Result<()> {
        let message = wire::StartCaptureRequest {
            meeting_id: meeting.to_string(),
            recording_id: id.recording.to_string(),
            segment: id.segment,
        };
        let request = self.request(tenant, message)?;
        self.client().start_capture(request).await?;
        Ok(())
    }

    /// Asks for a segment's end; answers the meeting after it.
    pub async fn stop_capture(
        &self,
        tenant: TenantId,
        meeting: MeetingId,
        id: SegmentId,
    ) -> Result<Met> {
        let message = wire::StopCaptureRequest {
            meeting_id: meeting.to_string(),
            recording_id: id.recording.to_string(),
            segment: id.segment,
        };
        let request = self.request(tenant, message)?;
        convert::met(self.client().stop_capture(request).await?.into_inner())
    }

    /// Opens a segment's recorded bytes.
    pub async fn read_artefact(
        &self,
        tenant: TenantId,
        meeting: MeetingId,
        id: SegmentId,
    ) -> Result<Media> {
        let message = wire::ReadArtefactRequest {
            meeting_id: meeting.to_string(),
            recording_id: id.recording.to_string(),
            segment: id.segment,
        };
        // The deadline is for the first answer; gigabytes take longer, so each chunk after it is waited for by itself.
        let longest = Duration::from_millis(limits::DEADLINE_MS_MAX);
        let context = Context::until(Caller::system(tenant, crate::NAME), longest);
        let request = context.request(&self.callers, message)?;
        let mut chunks = self.client().read_artefact(request).await?.into_inner();
        let first = next(&mut chunks).await?.unwrap_or_default();
        let content_type = first.content_type;
        let first = stream::iter([Ok(Bytes::from(first.data))]);
        let rest = stream::try_unfold(chunks, |mut chunks| async move {
            let chunk = next(&mut chunks).await?;
            Ok(chunk.map(|chunk| (Bytes::from(chunk.data), chunks)))
        });
        Ok(Media {
            content_type,
            bytes: first.chain(rest).boxed(),
        })
    }
}

async fn next(chunks: &mut Streaming<wire::ArtefactChunk>) -> Result<Option<wire::ArtefactChunk>> {
    let waited = tokio::time::timeout(CHUNK_WAIT, chunks.message());
    Ok(waited.await.map_err(|_| too_slow())??)
}

fn too_slow() -> Error {
    Error::timeout("the artefact's next bytes did not come in time")
}

/// The coordinator acting for a tenant by itself.
fn own(tenant: TenantId) -> Context {
    Context::begin(Caller::system(tenant, crate::NAME))
}
