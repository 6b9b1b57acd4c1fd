//! Admit or deny: the decision and, for an admission, its permit commit together (I3).

use convene_domain::{
    Audience, VisitId,
    lobby::Lobby,
    permit::Event as PermitEvent,
    visit::{Event, Phase, Visit},
};
use convene_kit::{Context, KeyScope, Origin, Result, Row, Tx, ids, store as spine};

use super::{Lobbies, LobbyTable, VisitView, code};
use crate::store::{self, permit::Permits, visit::Visits};

impl Lobbies {
    pub async fn admit_visit(
        &self,
        context: &Context,
        id: VisitId,
        reason: &str,
    ) -> Result<VisitView> {
        let reason = code("reason", reason, "HOST_DECISION")?;
        let permit = convene_domain::PermitId::from_uuid(ids::new());
        self.decide(context, id, Event::GuestAdmitted { permit, reason })
            .await
    }

    pub async fn deny_visit(
        &self,
        context: &Context,
        id: VisitId,
        reason: &str,
    ) -> Result<VisitView> {
        let reason = code("reason", reason, "HOST_DECISION")?;
        self.decide(context, id, Event::GuestDenied { reason })
            .await
    }

    async fn decide(&self, context: &Context, id: VisitId, event: Event) -> Result<VisitView> {
        let (caller, origin) = (context.caller.clone(), context.origin(&self.deps.clock));
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let tenant = origin.tenant;
                    // The lobby before its visits: it stays open or closed while this is decided.
                    let row = spine::get::<Visits, _>(tx, tenant, id.as_uuid()).await?;
                    let lobby = row.machine.lobby.as_uuid();
                    let lobby = spine::get_for_change::<LobbyTable>(tx, tenant, lobby).await?;
                    let row = spine::get_for_change::<Visits>(tx, tenant, id.as_uuid()).await?;
                    caller.ensure_hosts(lobby.machine.host, KeyScope::Lobby)?;
                    settle(tx, &origin, &lobby, row, event).await
                })
            })
            .await?;
        self.visit(context.caller.tenant, id).await
    }
}

/// A decision over a visit: what it became, who decided, and for an admission its permit, in one transaction. The same decision again changes nothing.
pub async fn settle(
    tx: &Tx,
    origin: &Origin,
    lobby: &Row<Lobby>,
    row: Row<Visit>,
    event: Event,
) -> Result<()> {
    let (id, before) = (VisitId::from_uuid(row.id), row.version);
    if matches!(row.machine.phase, Phase::Waiting | Phase::Expected) {
        lobby.machine.ensure_open()?;
    }
    let row = spine::apply::<Visits>(tx, origin, row, event.clone()).await?;
    if row.version == before {
        return Ok(());
    }
    store::visit::decided(tx, origin.tenant, id, &origin.actor).await?;
    if let Event::GuestAdmitted { permit, reason } = event {
        let issued = PermitEvent::PermitIssued {
            booking: row.machine.booking,
            meeting: row.machine.meeting,
            audience: Audience::Visit(id),
            expires_at: lobby.machine.closes_at,
            reason,
        };
        issue(tx, origin, permit, issued).await?;
    }
    Ok(())
}

/// Journals a permit.
pub async fn issue(
    tx: &Tx,
    origin: &Origin,
    permit: convene_domain::PermitId,
    issued: PermitEvent,
) -> Result<()> {
    spine::insert::<Permits>(tx, origin, permit.as_uuid(), issued, Vec::new())
        .await
        .map(drop)
}
