//! What the lobby manager does: one method per command.

mod decide;
mod door;
mod guests;
pub mod plugins;

use convene_domain::{
    BookingId, GuestId, HostId, LobbyId, MeetingId, Timestamp, VisitId,
    lobby::{Event, GUESTS_MAX, Lobby},
    permit, visit,
};
use convene_kit::{
    Context, Deps, Error, KeyScope, Origin, Result, Row, Scope, Tx, convert, keys::PermitKeys,
    store as spine,
};

use crate::store::{self, lobby::Lobbies as LobbyTable, permit::Permits, visit::Visits};

pub use door::{SignedPermit, apply_meeting_facts};
pub use guests::{Ticket, TicketHolder};

/// The lobby manager's commands over its store.
#[derive(Clone)]
pub struct Lobbies {
    deps: Deps,
    permit_keys: PermitKeys,
}

/// A lobby to be opened.
pub struct OpenLobby {
    pub lobby: LobbyId,
    pub booking: BookingId,
    pub meeting: MeetingId,
    pub host: HostId,
    pub closes_at: Timestamp,
    pub guests: Vec<(GuestId, String)>,
}

/// A lobby and how many wait in it.
pub struct LobbyView {
    pub row: Row<Lobby>,
    pub waiting: u32,
}

/// A visit and its place.
pub struct VisitView {
    pub row: store::visit::Model,
    pub visit: visit::Visit,
    pub position: u32,
}

impl Lobbies {
    pub fn new(deps: Deps, permit_keys: PermitKeys) -> Self {
        Self { deps, permit_keys }
    }

    pub async fn open_lobby(&self, context: &Context, wish: OpenLobby) -> Result<LobbyView> {
        context.caller.ensure_system()?;
        if wish.lobby != wish.booking.lobby() {
            return Err(Error::invalid(
                "lobby_id",
                "FOREIGN_LOBBY_ID",
                "a lobby's id is derived from its booking",
            ));
        }
        if wish.guests.len() > GUESTS_MAX {
            return Err(Error::invalid(
                "guests",
                "GUESTS_OUT_OF_RANGE",
                format!("a lobby takes at most {GUESTS_MAX} guests"),
            ));
        }
        let origin = context.origin(&self.deps.clock);
        let row = self
            .deps
            .db
            .write(move |tx| Box::pin(async move { open(tx, &origin, wish).await }))
            .await?;
        self.view(row).await
    }

    pub async fn get_lobby(&self, context: &Context, id: LobbyId) -> Result<LobbyView> {
        let tenant = context.caller.tenant;
        let row = spine::get::<LobbyTable, _>(self.deps.db.read(), tenant, id.as_uuid()).await?;
        context.caller.ensure_sees_host(row.machine.host)?;
        self.view(row).await
    }

    /// The booking's time was changed: everything that ends with the lobby ends with it still, and who was let in stays so.
    pub async fn move_lobby(
        &self,
        context: &Context,
        id: LobbyId,
        closes_at: Timestamp,
        moves: u64,
    ) -> Result<LobbyView> {
        context.caller.ensure_system()?;
        let origin = context.origin(&self.deps.clock);
        let row = self
            .deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let tenant = origin.tenant;
                    let row = spine::get_for_change::<LobbyTable>(tx, tenant, id.as_uuid()).await?;
                    let before = row.version;
                    let event = Event::LobbyMoved { closes_at, moves };
                    let row = spine::apply::<LobbyTable>(tx, &origin, row, event).await?;
                    if row.version == before {
                        return Ok(row);
                    }
                    let tickets_until = closes_at.plus_millis(guests::AFTERGLOW_MS);
                    let booking = row.machine.booking;
                    store::ticket::prolong(tx, tenant, booking, tickets_until).await?;
                    for permit in store::permit::in_force(tx, tenant, row.machine.meeting).await? {
                        let event = permit::Event::PermitProlonged {
                            expires_at: closes_at,
                        };
                        spine::change::<Permits>(tx, &origin, permit, event).await?;
                    }
                    Ok(row)
                })
            })
            .await?;
        self.view(row).await
    }

    pub async fn close_lobby(
        &self,
        context: &Context,
        id: LobbyId,
        reason: &str,
    ) -> Result<LobbyView> {
        let reason = code("reason", reason, "LOBBY_CLOSED")?;
        let (caller, origin) = (context.caller.clone(), context.origin(&self.deps.clock));
        let row = self
            .deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let tenant = origin.tenant;
                    let row = spine::get_for_change::<LobbyTable>(tx, tenant, id.as_uuid());
                    caller.ensure_hosts(row.await?.machine.host, KeyScope::Lobby)?;
                    close(tx, &origin, id, &reason).await?;
                    spine::get::<LobbyTable, _>(tx, origin.tenant, id.as_uuid()).await
                })
            })
            .await?;
        self.view(row).await
    }

    pub async fn list_visits(&self, context: &Context, id: LobbyId) -> Result<Vec<VisitView>> {
        let tenant = context.caller.tenant;
        let row = spine::get::<LobbyTable, _>(self.deps.db.read(), tenant, id.as_uuid()).await?;
        context.caller.ensure_sees_host(row.machine.host)?;
        let mut next = 0;
        store::visit::of_lobby(self.deps.db.read(), tenant, id)
            .await?
            .into_iter()
            .map(|row| {
                let waits = row.phase == store::visit::WAITING;
                next += u32::from(waits);
                Ok(VisitView {
                    visit: row.machine()?,
                    row,
                    position: if waits { next } else { 0 },
                })
            })
            .collect()
    }

    pub async fn get_visit(&self, context: &Context, id: VisitId) -> Result<VisitView> {
        let tenant = context.caller.tenant;
        let view = self.visit(tenant, id).await?;
        match context.caller.scope {
            Scope::Guest { visit, .. } if visit == id => {}
            Scope::Guest { .. } => return Err(Error::not_found("visit")),
            Scope::Host(_) => {
                let lobby = view.visit.lobby.as_uuid();
                let lobby = spine::get::<LobbyTable, _>(self.deps.db.read(), tenant, lobby).await?;
                context.caller.ensure_sees_host(lobby.machine.host)?;
            }
            Scope::Admin | Scope::BookingApp | Scope::System => {
                context.caller.ensure_may(KeyScope::BookingsRead)?;
            }
        }
        Ok(view)
    }

    async fn visit(&self, tenant: convene_domain::TenantId, id: VisitId) -> Result<VisitView> {
        let row = store::visit::get(self.deps.db.read(), tenant, id).await?;
        Ok(VisitView {
            position: store::visit::position(self.deps.db.read(), &row).await?,
            visit: row.machine()?,
            row,
        })
    }

    async fn view(&self, row: Row<Lobby>) -> Result<LobbyView> {
        let id = LobbyId::from_uuid(row.id);
        let waiting = store::visit::waiting(self.deps.db.read(), row.tenant, id).await?;
        Ok(LobbyView { row, waiting })
    }
}

async fn open(tx: &Tx, origin: &Origin, wish: OpenLobby) -> Result<Row<Lobby>> {
    let id = wish.lobby.as_uuid();
    if let Some(row) = spine::load_for_change::<LobbyTable>(tx, origin.tenant, id).await? {
        return Ok(row);
    }
    let opened = Event::LobbyOpened {
        booking: wish.booking,
        meeting: wish.meeting,
        host: wish.host,
        closes_at: wish.closes_at,
    };
    let row = spine::insert::<LobbyTable>(tx, origin, id, opened, Vec::new()).await?;
    for (guest, name) in wish.guests {
        let expected = visit::Event::VisitExpected {
            lobby: wish.lobby,
            booking: wish.booking,
            meeting: wish.meeting,
            guest,
        };
        let name = convert::text("display_name", &name)?;
        let id = wish.lobby.visit(guest).as_uuid();
        let beside = vec![("display_name", name.into())];
        spine::insert::<Visits>(tx, origin, id, expected, beside).await?;
    }
    Ok(row)
}

/// Closes a lobby: whoever still waits or never came reaches an end state in the same transaction (I4), and unused permits open nothing.
pub async fn close(tx: &Tx, origin: &Origin, id: LobbyId, reason: &str) -> Result<()> {
    let row = spine::get_for_change::<LobbyTable>(tx, origin.tenant, id.as_uuid()).await?;
    if !row.machine.is_open() {
        return Ok(());
    }
    let meeting = row.machine.meeting;
    let closed = Event::LobbyClosed {
        reason: reason.to_owned(),
    };
    spine::apply::<LobbyTable>(tx, origin, row, closed).await?;
    for row in store::visit::of_lobby(tx, origin.tenant, id).await? {
        let reason = match row.machine()?.phase {
            visit::Phase::Waiting => "LOBBY_CLOSED",
            visit::Phase::Expected => "NOT_ARRIVED",
            _ => continue,
        };
        let event = visit::Event::VisitTimedOut {
            reason: reason.to_owned(),
        };
        spine::change::<Visits>(tx, origin, row.id, event).await?;
    }
    for permit in store::permit::unused(tx, origin.tenant, meeting).await? {
        let event = permit::Event::PermitRevoked {
            reason: "LOBBY_CLOSED".to_owned(),
        };
        spine::change::<Permits>(tx, origin, permit, event).await?;
    }
    Ok(())
}

/// A reason code: journalled for ever, so it is a code and no prose about people.
fn code(field: &'static str, text: &str, default: &str) -> Result<String> {
    const CODE_CHARS_MAX: usize = 64;
    let text = text.trim();
    if text.is_empty() {
        return Ok(default.to_owned());
    }
    let is_code = text.len() <= CODE_CHARS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_code {
        return Err(Error::invalid(
            field,
            "MALFORMED_REASON",
            format!(
                "{field} is a code of at most {CODE_CHARS_MAX} capital letters, digits and _, for example NOT_ON_THE_LIST"
            ),
        ));
    }
    Ok(text.to_owned())
}
