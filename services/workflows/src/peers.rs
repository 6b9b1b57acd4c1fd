//! The roles below: whose facts are followed, and what is asked of them.

use convene_domain::{BookingId, TenantId};
use convene_kit::{
    Caller, Channel, Context, Deps, Error, Result, Scope, caller::Callers, feed::Follower,
};
use convene_proto::{
    recording::v1::{self as recording, recording_coordinator_client::RecordingCoordinatorClient},
    scheduler::v1::{self as scheduler, scheduler_client::SchedulerClient},
};
use uuid::Uuid;

use crate::{service::apply_facts, store::definitions::Definitions};

/// The way to the roles below.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Scheduler.
    pub scheduler: Channel,
    /// Meeting broker.
    pub broker: Channel,
    /// Lobby manager.
    pub lobby: Channel,
    /// Recording coordinator.
    pub recording: Channel,
}

impl Peers {
    /// Follows the feed of each, with a cursor of this role's own.
    pub(crate) fn followers(&self, deps: &Deps, definitions: &Definitions) -> Vec<Follower> {
        let sources = [
            ("scheduler", &self.scheduler),
            ("meeting-broker", &self.broker),
            ("lobby-manager", &self.lobby),
            ("recording-coordinator", &self.recording),
        ];
        let follower = |(source, channel): (&'static str, &Channel)| Follower {
            db: deps.db.clone(),
            clock: deps.clock.clone(),
            callers: deps.callers.clone(),
            role: crate::NAME,
            source,
            channel: channel.clone(),
            apply: apply_facts(definitions.clone()),
        };
        sources.map(follower).into()
    }
}

/// The roles below, asked on behalf of a workflow of a tenant.
#[derive(Clone)]
pub struct Below {
    peers: Peers,
    callers: Callers,
}

impl Below {
    pub fn new(peers: Peers, callers: Callers) -> Self {
        Self { peers, callers }
    }

    /// `actor` is who audit trails name.
    fn request<T>(&self, tenant: TenantId, actor: &str, message: T) -> Result<tonic::Request<T>> {
        let caller = Caller::new(tenant, Scope::System, actor);
        Context::begin(caller).request(&self.callers, message)
    }

    fn scheduler(&self) -> SchedulerClient<Channel> {
        SchedulerClient::new(self.peers.scheduler.clone())
    }

    fn recording(&self) -> RecordingCoordinatorClient<Channel> {
        RecordingCoordinatorClient::new(self.peers.recording.clone())
    }

    pub async fn booking(
        &self,
        tenant: TenantId,
        actor: &str,
        id: BookingId,
    ) -> Result<scheduler::Booking> {
        let message = scheduler::GetBookingRequest { id: id.to_string() };
        let request = self.request(tenant, actor, message)?;
        Ok(self.scheduler().get_booking(request).await?.into_inner())
    }

    pub async fn service(
        &self,
        tenant: TenantId,
        actor: &str,
        id: &str,
    ) -> Result<scheduler::Service> {
        let message = scheduler::GetServiceRequest { id: id.to_owned() };
        let request = self.request(tenant, actor, message)?;
        Ok(self.scheduler().get_service(request).await?.into_inner())
    }

    pub async fn host(&self, tenant: TenantId, actor: &str, id: &str) -> Result<scheduler::Host> {
        let message = scheduler::GetHostRequest { id: id.to_owned() };
        let request = self.request(tenant, actor, message)?;
        Ok(self.scheduler().get_host(request).await?.into_inner())
    }

    pub async fn cancel_booking(
        &self,
        tenant: TenantId,
        actor: &str,
        id: BookingId,
        key: Uuid,
        reason: &str,
    ) -> Result<()> {
        let message = scheduler::CancelBookingRequest {
            idempotency_key: key.to_string(),
            id: id.to_string(),
            reason: reason.to_owned(),
        };
        let request = self.request(tenant, actor, message)?;
        self.scheduler().cancel_booking(request).await?;
        Ok(())
    }

    pub async fn end_meeting(&self, tenant: TenantId, actor: &str, id: BookingId) -> Result<()> {
        let message = scheduler::EndMeetingRequest { id: id.to_string() };
        let request = self.request(tenant, actor, message)?;
        self.scheduler().end_meeting(request).await?;
        Ok(())
    }

    pub async fn start_recording(
        &self,
        tenant: TenantId,
        actor: &str,
        id: BookingId,
    ) -> Result<()> {
        let booking = self.booking(tenant, actor, id).await?;
        let message = recording::StartRecordingRequest {
            booking_id: booking.id,
            meeting_id: booking.meeting_id,
        };
        let request = self.request(tenant, actor, message)?;
        self.recording().start_recording(request).await?;
        Ok(())
    }

    pub async fn stop_recordings(
        &self,
        tenant: TenantId,
        actor: &str,
        id: BookingId,
    ) -> Result<()> {
        let message = recording::ListRecordingsRequest {
            booking_id: id.to_string(),
        };
        let request = self.request(tenant, actor, message)?;
        let listed = self.recording().list_recordings(request).await?;
        for known in listed.into_inner().recordings {
            let message = recording::StopRecordingRequest { id: known.id };
            let request = self.request(tenant, actor, message)?;
            match self.recording().stop_recording(request).await {
                Ok(_) => {}
                // One that is over already.
                Err(status) if Error::from(status.clone()).is_refusal() => {}
                Err(status) => return Err(status.into()),
            }
        }
        Ok(())
    }
}
