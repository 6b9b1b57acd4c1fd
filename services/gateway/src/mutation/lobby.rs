//! Tickets, arrivals, decisions, and the way in.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_domain::BookingId;
use convene_proto::{lobby::v1 as wire, meeting::v1::ReleaseJoinDetailsRequest};

use super::{Call, payloads};
use crate::{
    error::{Refusal, payload},
    ids::{self, Kind},
    model::{lobby::Visit, meeting::JoinDetails, time},
};

payloads! {
    VisitPayload { visit: Visit },
    JoinDetailsPayload { join_details: JoinDetails },
}

/// A ticket: shown here and never again.
#[derive(SimpleObject)]
pub struct IssueTicketPayload {
    /// The guest sends it as `Authorization: Ticket <ticket>`; null when refused.
    ticket: Option<String>,
    /// The one visit that it opens.
    visit_id: Option<ID>,
    /// Path of the guest's own waiting page on this gateway. The ticket stands in its fragment, which browsers never send.
    waiting_page_path: Option<String>,
    /// Until when.
    expires_at: Option<DateTime<Utc>>,
    /// Why not.
    refusal: Option<Refusal>,
}

/// Whose ticket.
#[derive(InputObject)]
struct IssueTicketInput {
    /// The booking.
    booking_id: ID,
    /// The guest on it.
    guest_id: ID,
}

/// A decision.
#[derive(InputObject)]
struct DecideVisitInput {
    /// About whom.
    visit_id: ID,
    /// A code such as NOT_ON_THE_LIST; HOST_DECISION when left out. It is kept in the audit trail.
    reason: Option<String>,
}

/// Of which booking.
#[derive(InputObject)]
struct HostJoinDetailsInput {
    /// The host's booking.
    booking_id: ID,
}

#[derive(Default)]
pub struct Lobbies;

#[Object]
impl Lobbies {
    /// Makes a guest's ticket; an older one of the same guest opens nothing any more. Booking apps, admins and the host.
    async fn issue_ticket(
        &self,
        ctx: &Context<'_>,
        input: IssueTicketInput,
    ) -> Result<IssueTicketPayload> {
        let call = Call::new(ctx)?;
        let issued = async {
            let message = wire::IssueTicketRequest {
                booking_id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
                guest_id: ids::text(Kind::Guest, "guestId", &input.guest_id)?,
            };
            let issued = call.api.lobby().issue_ticket(call.request(message)?).await;
            Ok(issued?.into_inner())
        };
        let (issued, refusal) = payload(issued.await)?;
        Ok(IssueTicketPayload {
            visit_id: issued
                .as_ref()
                .map(|i| ids::encode(Kind::Visit, &i.visit_id)),
            waiting_page_path: issued.as_ref().map(|issued| {
                let tenant = call.session.caller.tenant;
                format!("/wait/{tenant}#{}", issued.ticket)
            }),
            expires_at: issued.as_ref().and_then(|i| time::from_wire(i.expires_at)),
            ticket: issued.map(|issued| issued.ticket),
            refusal,
        })
    }

    /// The guest arrives; a repeat keeps the place. Guests.
    async fn enter_lobby(&self, ctx: &Context<'_>) -> Result<VisitPayload> {
        let call = Call::new(ctx)?;
        let entered = async {
            let request = call.request(wire::EnterLobbyRequest {})?;
            let entered = call.api.lobby().enter_lobby(request).await?;
            Ok(Visit(entered.into_inner()))
        };
        VisitPayload::of(entered.await)
    }

    /// The guest goes away. Guests.
    async fn leave_lobby(&self, ctx: &Context<'_>) -> Result<VisitPayload> {
        let call = Call::new(ctx)?;
        let left = async {
            let request = call.request(wire::LeaveLobbyRequest {})?;
            let left = call.api.lobby().leave_lobby(request).await?;
            Ok(Visit(left.into_inner()))
        };
        VisitPayload::of(left.await)
    }

    /// Lets a waiting guest in. The host and admins.
    async fn admit_visit(
        &self,
        ctx: &Context<'_>,
        input: DecideVisitInput,
    ) -> Result<VisitPayload> {
        let call = Call::new(ctx)?;
        let admitted = async {
            let message = wire::AdmitVisitRequest {
                visit_id: ids::text(Kind::Visit, "visitId", &input.visit_id)?,
                reason: input.reason.unwrap_or_default(),
            };
            let admitted = call.api.lobby().admit_visit(call.request(message)?).await;
            Ok(Visit(admitted?.into_inner()))
        };
        VisitPayload::of(admitted.await)
    }

    /// Turns a guest away. The host and admins.
    async fn deny_visit(&self, ctx: &Context<'_>, input: DecideVisitInput) -> Result<VisitPayload> {
        let call = Call::new(ctx)?;
        let denied = async {
            let message = wire::DenyVisitRequest {
                visit_id: ids::text(Kind::Visit, "visitId", &input.visit_id)?,
                reason: input.reason.unwrap_or_default(),
            };
            let denied = call.api.lobby().deny_visit(call.request(message)?).await;
            Ok(Visit(denied?.into_inner()))
        };
        VisitPayload::of(denied.await)
    }

    /// Join details of an admitted guest; each release is journalled. Guests.
    async fn join_details(&self, ctx: &Context<'_>) -> Result<JoinDetailsPayload> {
        let call = Call::new(ctx)?;
        let released = async {
            let request = call.request(wire::PresentPermitRequest {})?;
            let permit = call.api.lobby().present_permit(request).await?;
            release(&call, permit.into_inner()).await
        };
        JoinDetailsPayload::of(released.await)
    }

    /// Join details of the booking's own host, by a host permit; each release is journalled. Hosts.
    async fn host_join_details(
        &self,
        ctx: &Context<'_>,
        input: HostJoinDetailsInput,
    ) -> Result<JoinDetailsPayload> {
        let call = Call::new(ctx)?;
        let released = async {
            let booking: BookingId = ids::decode(Kind::Booking, "bookingId", &input.booking_id)?;
            let message = wire::IssueHostPermitRequest {
                lobby_id: booking.lobby().to_string(),
            };
            let permit = call
                .api
                .lobby()
                .issue_host_permit(call.request(message)?)
                .await;
            release(&call, permit?.into_inner()).await
        };
        JoinDetailsPayload::of(released.await)
    }
}

async fn release(
    call: &Call<'_>,
    permit: wire::PresentPermitResponse,
) -> convene_kit::Result<JoinDetails> {
    let message = ReleaseJoinDetailsRequest {
        permit: permit.permit,
        audience: permit.audience,
    };
    let request = call.request(message)?;
    let released = call.api.broker().release_join_details(request).await?;
    Ok(released.into_inner().into())
}
