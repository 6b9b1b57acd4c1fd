//! Between proto and domain.

pub mod plugins;

use convene_domain::{
    lobby,
    visit::{Phase, WaitsFor},
};
use convene_kit::{
    Result,
    convert::{id, required_time, to_wire},
};
use convene_proto::lobby::v1 as wire;

use crate::service::{LobbyView, OpenLobby, SignedPermit, Ticket, TicketHolder, VisitView};

pub fn open_lobby(request: wire::OpenLobbyRequest) -> Result<OpenLobby> {
    Ok(OpenLobby {
        lobby: id("lobby_id", &request.lobby_id)?,
        booking: id("booking_id", &request.booking_id)?,
        meeting: id("meeting_id", &request.meeting_id)?,
        host: id("host_id", &request.host_id)?,
        closes_at: required_time("closes_at", request.closes_at)?,
        guests: request
            .guests
            .into_iter()
            .map(|guest| Ok((id("guest_id", &guest.guest_id)?, guest.display_name)))
            .collect::<Result<_>>()?,
    })
}

pub fn lobby(view: LobbyView) -> wire::Lobby {
    let lobby = view.row.machine;
    let state = match lobby.phase {
        lobby::Phase::Open => wire::LobbyState::Open,
        lobby::Phase::Closed { .. } => wire::LobbyState::Closed,
    };
    wire::Lobby {
        id: view.row.id.to_string(),
        booking_id: lobby.booking.to_string(),
        meeting_id: lobby.meeting.to_string(),
        host_id: lobby.host.to_string(),
        version: view.row.version,
        state: state.into(),
        closes_at: Some(to_wire(lobby.closes_at)),
        waiting: view.waiting,
    }
}

pub fn visit(view: VisitView) -> wire::Visit {
    let VisitView {
        row,
        visit,
        position,
    } = view;
    let state = match visit.phase {
        Phase::Expected => wire::VisitState::Expected,
        Phase::Waiting => wire::VisitState::Waiting,
        Phase::Admitted { .. } => wire::VisitState::Admitted,
        Phase::Denied { .. } => wire::VisitState::Denied,
        Phase::TimedOut { .. } => wire::VisitState::TimedOut,
        Phase::Left => wire::VisitState::Left,
    };
    let (waits_for_queue, waits_for_step) = match visit.waits_for {
        Some(WaitsFor::Queue(queue)) => (queue, String::new()),
        Some(WaitsFor::Step(step)) => (String::new(), step),
        None => Default::default(),
    };
    wire::Visit {
        id: row.id.to_string(),
        lobby_id: visit.lobby.to_string(),
        booking_id: visit.booking.to_string(),
        guest_id: visit.guest.to_string(),
        display_name: row.display_name,
        version: row.version.unsigned_abs(),
        state: state.into(),
        position,
        reason: row.end_reason.unwrap_or_default(),
        arrived_at: visit.arrived_at.map(to_wire),
        ended_at: visit.ended_at.map(to_wire),
        decided_by: row.decided_by.unwrap_or_default(),
        meeting_id: visit.meeting.to_string(),
        waits_for_queue,
        waits_for_step,
    }
}

pub fn ticket(ticket: Ticket) -> wire::IssueTicketResponse {
    wire::IssueTicketResponse {
        ticket: ticket.secret,
        visit_id: ticket.visit.to_string(),
        expires_at: Some(to_wire(ticket.expires_at)),
    }
}

pub fn holder(holder: TicketHolder) -> wire::ResolveTicketResponse {
    wire::ResolveTicketResponse {
        tenant_id: holder.tenant.to_string(),
        visit_id: holder.visit.to_string(),
        booking_id: holder.booking.to_string(),
    }
}

pub fn permit(permit: SignedPermit) -> wire::PresentPermitResponse {
    wire::PresentPermitResponse {
        permit: permit.token,
        permit_id: permit.claims.permit.to_string(),
        audience: permit.claims.audience.to_string(),
        expires_at: Some(to_wire(permit.claims.expires_at)),
    }
}
