//! Permits as they are shown to the broker.

use std::sync::Arc;

use convene_domain::{
    Audience, LobbyId, Machine as _, PermitId, Timestamp,
    meeting::{self, Meeting},
    permit::{Event, Permit, PermitClaims},
    visit::Phase,
};
use convene_kit::{
    Context, Error, KeyScope, Origin, Result, Scope, Tx,
    feed::{Apply, Fact},
    ids, store as spine,
};

use super::{Lobbies, LobbyTable, decide::issue};
use crate::store::{self, permit::Permits, visit::Visits};

/// A signed permit is shown within this time, in milliseconds of business time; a new one is signed on demand.
const LIFE_MS: i64 = 60_000;

/// A permit that can be shown to the broker.
pub struct SignedPermit {
    pub token: String,
    pub claims: PermitClaims,
}

impl Lobbies {
    /// The permit of the calling guest.
    pub async fn present_permit(&self, context: &Context) -> Result<SignedPermit> {
        let (id, _) = context.caller.guest()?;
        let tenant = context.caller.tenant;
        let db = self.deps.db.read();
        let visit = spine::get::<Visits, _>(db, tenant, id.as_uuid()).await?;
        let permit = match &visit.machine.phase {
            Phase::Admitted { permit } => *permit,
            Phase::Expected | Phase::Waiting => {
                return Err(Error::refused(
                    "NOT_ADMITTED",
                    "the host has not let you in yet; please wait",
                ));
            }
            Phase::Denied { .. } => {
                return Err(Error::refused("DENIED", "the host has not let you in"));
            }
            Phase::TimedOut { .. } | Phase::Left => {
                return Err(Error::refused(
                    "VISIT_OVER",
                    "the visit is over; ask for a new appointment",
                ));
            }
        };
        let row = spine::get::<Permits, _>(db, tenant, permit.as_uuid()).await?;
        self.sign(context, permit, &row.machine)
    }

    /// A permit for the lobby's own host: journalled like every other.
    pub async fn issue_host_permit(&self, context: &Context, id: LobbyId) -> Result<SignedPermit> {
        let Scope::Host(host) = context.caller.scope else {
            return Err(Error::forbidden(
                "HOST_REQUIRED",
                "only the host itself gets the host's join details; use the host's key",
            ));
        };
        context.caller.ensure_may(KeyScope::Lobby)?;
        let origin = context.origin(&self.deps.clock);
        let (permit, machine) = self
            .deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (tenant, id) = (origin.tenant, id.as_uuid());
                    let lobby = spine::get_for_change::<LobbyTable>(tx, tenant, id).await?;
                    if lobby.machine.host != host {
                        return Err(Error::not_found("lobby"));
                    }
                    lobby.machine.ensure_open()?;
                    let audience = Audience::Host(host);
                    let meeting = lobby.machine.meeting;
                    let newest =
                        store::permit::newest(tx, origin.tenant, meeting, audience).await?;
                    if let Some(row) = newest {
                        let machine = row.machine()?;
                        if machine.ensure_valid(origin.now).is_ok() {
                            return Ok((PermitId::from_uuid(row.id), machine));
                        }
                    }
                    let permit = PermitId::from_uuid(ids::new());
                    let issued = Event::PermitIssued {
                        booking: lobby.machine.booking,
                        meeting,
                        audience,
                        expires_at: lobby.machine.closes_at,
                        reason: "HOST_OF_THE_MEETING".to_owned(),
                    };
                    issue(tx, &origin, permit, issued).await?;
                    let row = spine::get::<Permits, _>(tx, origin.tenant, permit.as_uuid()).await?;
                    Ok((permit, row.machine))
                })
            })
            .await?;
        self.sign(context, permit, &machine)
    }

    fn sign(&self, context: &Context, id: PermitId, permit: &Permit) -> Result<SignedPermit> {
        let now: Timestamp = self.deps.clock.now();
        permit.ensure_valid(now)?;
        let claims = PermitClaims {
            permit: id,
            tenant: context.caller.tenant,
            booking: permit.booking,
            meeting: permit.meeting,
            audience: permit.audience,
            expires_at: now.plus_millis(LIFE_MS).min(permit.expires_at),
        };
        Ok(SignedPermit {
            token: self.permit_keys.sign(&claims)?,
            claims,
        })
    }
}

/// The broker tells which permits were used.
pub fn apply_meeting_facts() -> Apply {
    Arc::new(|tx, origin, fact| Box::pin(apply(tx, origin, fact)))
}

async fn apply(tx: &Tx, origin: Origin, fact: Fact) -> Result<()> {
    if fact.object_kind != Meeting::KIND {
        return Ok(());
    }
    if let meeting::Event::JoinDetailsReleased { permit, .. } = fact.decode::<Meeting>()? {
        spine::change::<Permits>(tx, &origin, permit.as_uuid(), Event::PermitRedeemed).await?;
    }
    Ok(())
}
