//! Calls to the services below.

use convene_domain::TenantId;
use convene_kit::{Caller, Channel, Context, Result, caller::Callers};
use convene_proto::{
    lobby::v1::{self as lobby, lobby_manager_client::LobbyManagerClient},
    meeting::v1::{self as meeting, meeting_broker_client::MeetingBrokerClient},
};

/// The way to the services below.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Meeting broker.
    pub broker: Channel,
    /// Lobby manager.
    pub lobby: Channel,
}

/// The services below, called on behalf of a tenant.
#[derive(Clone)]
pub(crate) struct Below {
    peers: Peers,
    callers: Callers,
}

impl Below {
    pub fn new(peers: Peers, callers: Callers) -> Self {
        Self { peers, callers }
    }

    fn request<T>(&self, tenant: TenantId, message: T) -> Result<tonic::Request<T>> {
        Context::begin(Caller::system(tenant, crate::NAME)).request(&self.callers, message)
    }

    pub async fn ensure_meeting(
        &self,
        tenant: TenantId,
        message: meeting::EnsureMeetingRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        MeetingBrokerClient::new(self.peers.broker.clone())
            .ensure_meeting(request)
            .await?;
        Ok(())
    }

    pub async fn move_meeting(
        &self,
        tenant: TenantId,
        message: meeting::MoveMeetingRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        MeetingBrokerClient::new(self.peers.broker.clone())
            .move_meeting(request)
            .await?;
        Ok(())
    }

    pub async fn move_lobby(
        &self,
        tenant: TenantId,
        message: lobby::MoveLobbyRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        LobbyManagerClient::new(self.peers.lobby.clone())
            .move_lobby(request)
            .await?;
        Ok(())
    }

    pub async fn cancel_meeting(
        &self,
        tenant: TenantId,
        message: meeting::CancelMeetingRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        MeetingBrokerClient::new(self.peers.broker.clone())
            .cancel_meeting(request)
            .await?;
        Ok(())
    }

    pub async fn end_meeting(
        &self,
        tenant: TenantId,
        message: meeting::EndMeetingRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        MeetingBrokerClient::new(self.peers.broker.clone())
            .end_meeting(request)
            .await?;
        Ok(())
    }

    pub async fn open_lobby(
        &self,
        tenant: TenantId,
        message: lobby::OpenLobbyRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        LobbyManagerClient::new(self.peers.lobby.clone())
            .open_lobby(request)
            .await?;
        Ok(())
    }

    pub async fn close_lobby(
        &self,
        tenant: TenantId,
        message: lobby::CloseLobbyRequest,
    ) -> Result<()> {
        let request = self.request(tenant, message)?;
        LobbyManagerClient::new(self.peers.lobby.clone())
            .close_lobby(request)
            .await?;
        Ok(())
    }
}
