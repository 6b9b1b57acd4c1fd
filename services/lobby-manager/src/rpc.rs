//! The gRPC edge: decode, call the service, encode.

pub mod plugins;

use convene_kit::{
    Context,
    caller::Callers,
    convert::{id, required_time},
};
use convene_proto::lobby::v1::{self as wire, lobby_manager_server};
use tonic::{Request, Response, Status};

use crate::{convert, service::Lobbies};

type Answer<T> = Result<Response<T>, Status>;

pub struct Rpc {
    callers: Callers,
    lobbies: Lobbies,
}

impl Rpc {
    pub fn new(callers: Callers, lobbies: Lobbies) -> Self {
        Self { callers, lobbies }
    }
}

#[tonic::async_trait]
impl lobby_manager_server::LobbyManager for Rpc {
    async fn open_lobby(&self, request: Request<wire::OpenLobbyRequest>) -> Answer<wire::Lobby> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::open_lobby(request.into_inner())?;
        let view = self.lobbies.open_lobby(&context, wish).await?;
        Ok(Response::new(convert::lobby(view)))
    }

    async fn get_lobby(&self, request: Request<wire::GetLobbyRequest>) -> Answer<wire::Lobby> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let view = self.lobbies.get_lobby(&context, id).await?;
        Ok(Response::new(convert::lobby(view)))
    }

    async fn move_lobby(&self, request: Request<wire::MoveLobbyRequest>) -> Answer<wire::Lobby> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let closes_at = required_time("closes_at", request.closes_at)?;
        let moved = self
            .lobbies
            .move_lobby(&context, id, closes_at, request.moves);
        Ok(Response::new(convert::lobby(moved.await?)))
    }

    async fn close_lobby(&self, request: Request<wire::CloseLobbyRequest>) -> Answer<wire::Lobby> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let closed = self.lobbies.close_lobby(&context, id, &request.reason);
        Ok(Response::new(convert::lobby(closed.await?)))
    }

    async fn list_visits(
        &self,
        request: Request<wire::ListVisitsRequest>,
    ) -> Answer<wire::ListVisitsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("lobby_id", &request.into_inner().lobby_id)?;
        let views = self.lobbies.list_visits(&context, id).await?;
        let visits = views.into_iter().map(convert::visit).collect();
        Ok(Response::new(wire::ListVisitsResponse { visits }))
    }

    async fn get_visit(&self, request: Request<wire::GetVisitRequest>) -> Answer<wire::Visit> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let view = self.lobbies.get_visit(&context, id).await?;
        Ok(Response::new(convert::visit(view)))
    }

    async fn issue_ticket(
        &self,
        request: Request<wire::IssueTicketRequest>,
    ) -> Answer<wire::IssueTicketResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let booking = id("bookingId", &request.booking_id)?;
        let guest = id("guestId", &request.guest_id)?;
        let ticket = self.lobbies.issue_ticket(&context, booking, guest).await?;
        Ok(Response::new(convert::ticket(ticket)))
    }

    async fn resolve_ticket(
        &self,
        request: Request<wire::ResolveTicketRequest>,
    ) -> Answer<wire::ResolveTicketResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let ticket = request.into_inner().ticket;
        let holder = self.lobbies.resolve_ticket(&context, &ticket).await?;
        Ok(Response::new(convert::holder(holder)))
    }

    async fn enter_lobby(&self, request: Request<wire::EnterLobbyRequest>) -> Answer<wire::Visit> {
        let context = Context::accept(&self.callers, &request)?;
        let view = self.lobbies.enter_lobby(&context).await?;
        Ok(Response::new(convert::visit(view)))
    }

    async fn leave_lobby(&self, request: Request<wire::LeaveLobbyRequest>) -> Answer<wire::Visit> {
        let context = Context::accept(&self.callers, &request)?;
        let view = self.lobbies.leave_lobby(&context).await?;
        Ok(Response::new(convert::visit(view)))
    }

    async fn admit_visit(&self, request: Request<wire::AdmitVisitRequest>) -> Answer<wire::Visit> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("visitId", &request.visit_id)?;
        let admitted = self.lobbies.admit_visit(&context, id, &request.reason);
        Ok(Response::new(convert::visit(admitted.await?)))
    }

    async fn deny_visit(&self, request: Request<wire::DenyVisitRequest>) -> Answer<wire::Visit> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("visitId", &request.visit_id)?;
        let denied = self.lobbies.deny_visit(&context, id, &request.reason);
        Ok(Response::new(convert::visit(denied.await?)))
    }

    async fn present_permit(
        &self,
        request: Request<wire::PresentPermitRequest>,
    ) -> Answer<wire::PresentPermitResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let permit = self.lobbies.present_permit(&context).await?;
        Ok(Response::new(convert::permit(permit)))
    }

    async fn issue_host_permit(
        &self,
        request: Request<wire::IssueHostPermitRequest>,
    ) -> Answer<wire::PresentPermitResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("lobbyId", &request.into_inner().lobby_id)?;
        let permit = self.lobbies.issue_host_permit(&context, id).await?;
        Ok(Response::new(convert::permit(permit)))
    }
}
