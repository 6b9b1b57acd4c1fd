//! What guests do, and the tickets with which they do it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_domain::{
    BookingId, GuestId, LobbyId, TenantId, Timestamp, VisitId,
    visit::{Event, Phase},
};
use convene_kit::{Context, Error, KeyScope, Result, Scope, digest, store as spine};

use super::{Lobbies, LobbyTable, VisitView};
use crate::store::{self, visit::Visits};

/// A ticket outlives its lobby by this time, so that the end stays readable, in milliseconds.
pub(super) const AFTERGLOW_MS: i64 = 3_600_000;
/// Longest ticket that is looked up, in bytes.
const TICKET_BYTES_MAX: usize = 128;

/// A new ticket: the secret is shown once.
pub struct Ticket {
    pub secret: String,
    pub visit: VisitId,
    pub expires_at: Timestamp,
}

/// Who holds a ticket.
pub struct TicketHolder {
    pub tenant: TenantId,
    pub visit: VisitId,
    pub booking: BookingId,
}

impl Lobbies {
    pub async fn issue_ticket(
        &self,
        context: &Context,
        booking: BookingId,
        guest: GuestId,
    ) -> Result<Ticket> {
        let secret = URL_SAFE_NO_PAD.encode(digest::random::<32>()?);
        let hash = digest::sha256(secret.as_bytes());
        let (caller, origin) = (context.caller.clone(), context.origin(&self.deps.clock));
        let visit = booking.lobby().visit(guest);
        let expires_at = self
            .deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let lobby = booking.lobby().as_uuid();
                    // Locked, so that of two tickets of one visit the earlier is void.
                    let lobby =
                        spine::get_for_change::<LobbyTable>(tx, origin.tenant, lobby).await?;
                    match caller.scope {
                        Scope::Host(_) => {
                            caller.ensure_hosts(lobby.machine.host, KeyScope::Lobby)?;
                        }
                        _ => caller.ensure_app_who(KeyScope::Lobby)?,
                    }
                    lobby.machine.ensure_open()?;
                    spine::get::<Visits, _>(tx, origin.tenant, visit.as_uuid()).await?;
                    let expires_at = lobby.machine.closes_at.plus_millis(AFTERGLOW_MS);
                    store::ticket::replace(tx, origin.tenant, visit, booking, hash, expires_at)
                        .await?;
                    Ok(expires_at)
                })
            })
            .await?;
        Ok(Ticket {
            secret,
            visit,
            expires_at,
        })
    }

    pub async fn resolve_ticket(&self, context: &Context, ticket: &str) -> Result<TicketHolder> {
        context.caller.ensure_system()?;
        let unknown = || {
            Error::unauthenticated(
                "TICKET_UNKNOWN",
                "this is not a ticket; use the link of the invitation",
            )
        };
        if ticket.is_empty() || ticket.len() > TICKET_BYTES_MAX {
            return Err(unknown());
        }
        let hash = digest::sha256(ticket.as_bytes());
        let row = store::ticket::find(self.deps.db.read(), hash)
            .await?
            .ok_or_else(unknown)?;
        if row.replaced {
            return Err(Error::unauthenticated(
                "TICKET_REPLACED",
                "a newer ticket was issued for this visit; use that one",
            ));
        }
        if row.expires_at_ms <= self.deps.clock.now().as_millis() {
            return Err(Error::unauthenticated(
                "TICKET_EXPIRED",
                "the ticket has expired; ask for a new appointment",
            ));
        }
        Ok(TicketHolder {
            tenant: TenantId::from_uuid(row.tenant_id),
            visit: VisitId::from_uuid(row.visit_id),
            booking: BookingId::from_uuid(row.booking_id),
        })
    }

    pub async fn enter_lobby(&self, context: &Context) -> Result<VisitView> {
        let (id, _) = context.caller.guest()?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let tenant = origin.tenant;
                    let row = spine::get::<Visits, _>(tx, tenant, id.as_uuid()).await?;
                    // A reconnect reads where it stands, open or not.
                    if row.machine.phase != Phase::Expected {
                        return Ok(());
                    }
                    let lobby: LobbyId = row.machine.lobby;
                    // One arrives after the other: places in the queue are given under the lobby's lock.
                    let open =
                        spine::get_for_change::<LobbyTable>(tx, tenant, lobby.as_uuid()).await?;
                    let row = spine::get_for_change::<Visits>(tx, tenant, id.as_uuid()).await?;
                    if row.machine.phase != Phase::Expected {
                        return Ok(());
                    }
                    open.machine.ensure_open()?;
                    let host = open.machine.host;
                    let bound = store::plugin::binding::in_force(tx, tenant, host, lobby).await?;
                    let arrived = Event::GuestArrived {
                        asks: bound.is_some(),
                    };
                    spine::apply::<Visits>(tx, &origin, row, arrived).await?;
                    store::visit::queue(tx, tenant, lobby, id).await
                })
            })
            .await?;
        self.visit(context.caller.tenant, id).await
    }

    pub async fn leave_lobby(&self, context: &Context) -> Result<VisitView> {
        let (id, _) = context.caller.guest()?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    spine::change::<Visits>(tx, &origin, id.as_uuid(), Event::GuestLeft).await
                })
            })
            .await?;
        self.visit(context.caller.tenant, id).await
    }
}
