//! Lobbies and visits.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::{lobby::v1 as wire, plugin::v1 as plugin};

use super::{
    api, booking::Booking, found, loaders, meeting::Meeting, plugin::PluginCall, request, status,
    time,
};
use crate::{
    error::fault,
    ids::{Kind, encode},
};

/// Where a lobby stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum LobbyState {
    /// Guests may arrive and be admitted.
    Open,
    /// Nobody is let in any more.
    Closed,
}

/// The waiting room of a booking.
pub struct Lobby(pub wire::Lobby);

/// The waiting room of a booking.
#[Object]
impl Lobby {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Lobby, &self.0.id)
    }

    /// Where it stands.
    async fn state(&self) -> LobbyState {
        match self.0.state() {
            wire::LobbyState::Open => LobbyState::Open,
            wire::LobbyState::Closed | wire::LobbyState::Unspecified => LobbyState::Closed,
        }
    }

    /// When it closes by itself.
    async fn closes_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.closes_at)
    }

    /// How many wait.
    async fn waiting(&self) -> u32 {
        self.0.waiting
    }

    /// Its visits in order of arrival.
    #[graphql(complexity = "10 * child_complexity")]
    async fn visits(&self, ctx: &Context<'_>) -> Result<Vec<Visit>> {
        let message = wire::ListVisitsRequest {
            lobby_id: self.0.id.clone(),
        };
        let listed = api(ctx)?.lobby().list_visits(request(ctx, message)?).await;
        let visits = listed.map_err(status)?.into_inner().visits;
        Ok(visits.into_iter().map(Visit).collect())
    }
}

/// Where a visit stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum VisitState {
    /// Invited, not arrived.
    Expected,
    /// In the lobby.
    Waiting,
    /// Let in.
    Admitted,
    /// Turned away.
    Denied,
    /// The lobby closed first, or the guest never came.
    TimedOut,
    /// The guest went away.
    Left,
}

/// One guest's stay in one lobby.
#[derive(Clone, PartialEq)]
pub struct Visit(pub wire::Visit);

/// One guest's stay in one lobby.
#[Object]
impl Visit {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Visit, &self.0.id)
    }

    /// Where it stands.
    async fn state(&self) -> Result<VisitState> {
        match self.0.state() {
            wire::VisitState::Expected => Ok(VisitState::Expected),
            wire::VisitState::Waiting => Ok(VisitState::Waiting),
            wire::VisitState::Admitted => Ok(VisitState::Admitted),
            wire::VisitState::Denied => Ok(VisitState::Denied),
            wire::VisitState::TimedOut => Ok(VisitState::TimedOut),
            wire::VisitState::Left => Ok(VisitState::Left),
            wire::VisitState::Unspecified => Err(fault(Error::internal("a visit without state"))),
        }
    }

    /// Place in the queue: 1 is next, 0 for who does not wait.
    async fn position(&self) -> u32 {
        self.0.position
    }

    /// Stable reason of an end state.
    async fn reason(&self) -> Option<&str> {
        Some(self.0.reason.as_str()).filter(|reason| !reason.is_empty())
    }

    /// The guest's name.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// When the guest arrived.
    async fn arrived_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.arrived_at)
    }

    /// When the end state was reached.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.ended_at)
    }

    /// Who decided, as in the audit trail.
    async fn decided_by(&self) -> Option<&str> {
        Some(self.0.decided_by.as_str()).filter(|by| !by.is_empty())
    }

    /// The queue that a plugin sent the guest to.
    async fn waits_for_queue(&self) -> Option<&str> {
        Some(self.0.waits_for_queue.as_str()).filter(|queue| !queue.is_empty())
    }

    /// The step that has to be done before the guest is let in, as a plugin wants it.
    async fn waits_for_step(&self) -> Option<&str> {
        Some(self.0.waits_for_step.as_str()).filter(|step| !step.is_empty())
    }

    /// What plugins decided about the visit, oldest first. Its host, booking apps and admins.
    #[graphql(complexity = "10 * child_complexity")]
    async fn plugin_calls(&self, ctx: &Context<'_>) -> Result<Vec<PluginCall>> {
        let message = plugin::ListCallsRequest {
            visit_id: self.0.id.clone(),
            ..Default::default()
        };
        let listed = api(ctx)?.plugins().list_calls(request(ctx, message)?).await;
        let calls = listed.map_err(status)?.into_inner().calls;
        Ok(calls.into_iter().map(PluginCall).collect())
    }

    /// The meeting behind the lobby: states only.
    async fn meeting(&self, ctx: &Context<'_>) -> Result<Option<Meeting>> {
        let loader = &loaders(ctx)?.meetings;
        let meeting = loader.load_one(self.0.meeting_id.clone()).await;
        Ok(meeting.map_err(fault)?.map(Meeting::known))
    }

    /// The booking that the visit belongs to.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Booking> {
        let loader = &loaders(ctx)?.bookings;
        let booking = loader.load_one(self.0.booking_id.clone()).await;
        found(booking, "booking").map(Booking)
    }
}
