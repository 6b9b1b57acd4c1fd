//! What came of each call, and calls made again.

use convene_domain::VisitId;
use convene_kit::{Context, Error, Result, limits, store as spine};
use convene_plugin_host::{
    Outcome, Record, Replay,
    hook::lobby::{Lobby, Verdict},
};
use uuid::Uuid;

use super::{Plugins, verdict::told};
use crate::{
    service::LobbyTable,
    store::{
        plugin::{binding, call, module},
        visit::Visits,
    },
};

/// Calls that are put to another module at once.
const COMPARED_MAX: u32 = 1_000;

/// Whose calls.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// About a visit, oldest first.
    Visit(VisitId),
    /// Of a binding, newest first.
    Binding(Uuid),
}

/// What a replay found.
#[derive(Debug)]
pub struct Replayed {
    /// `false`: it ended by its moment, and is read from the record.
    pub ran: bool,
    /// Parts of the record that differ.
    pub differences: Vec<&'static str>,
}

/// What another module would have said.
#[derive(Debug, Default)]
pub struct Comparison {
    pub compared: u32,
    /// The call, and what would have been said: word and subject.
    pub changes: Vec<(call::Model, String, String)>,
}

impl Plugins {
    /// Calls without their records.
    pub async fn calls(&self, context: &Context, of: Of, first: u32) -> Result<Vec<call::Model>> {
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        let first = limits::page(first);
        match of {
            Of::Binding(id) => {
                context.caller.ensure_admin()?;
                call::of_binding(db, tenant, id, true, first).await
            }
            Of::Visit(id) => {
                let visit = spine::get::<Visits, _>(db, tenant, id.as_uuid()).await?;
                let lobby = visit.machine.lobby.as_uuid();
                let lobby = spine::get::<LobbyTable, _>(db, tenant, lobby).await?;
                context.caller.ensure_sees_host(lobby.machine.host)?;
                call::of_visit(db, tenant, id, first).await
            }
        }
    }

    /// A call with its record.
    pub async fn one_call(&self, context: &Context, id: Uuid) -> Result<call::Model> {
        context.caller.ensure_admin()?;
        call::get(self.deps.db.read(), context.caller.tenant, id).await
    }

    /// Makes a recorded call again; nothing is acted on.
    pub async fn replay(&self, context: &Context, id: Uuid) -> Result<Replayed> {
        let row = self.one_call(context, id).await?;
        let Some(record) = record(&row)? else {
            return Ok(Replayed {
                ran: false,
                differences: Vec::new(),
            });
        };
        let plugin = self.loaded(context.caller.tenant, &row.digest).await?;
        let replayed = self.host().await?.replay::<Lobby>(&plugin, &record).await;
        let replayed = replayed.map_err(|fault| Error::internal(fault.to_string()))?;
        Ok(match replayed {
            Replay::Ran { differences, .. } => Replayed {
                ran: true,
                differences,
            },
            Replay::Read(_) => Replayed {
                ran: false,
                differences: Vec::new(),
            },
        })
    }

    /// Puts the last calls of a binding's active module to another one; nothing is acted on.
    pub async fn compare(
        &self,
        context: &Context,
        id: Uuid,
        digest: &str,
        last: u32,
    ) -> Result<Comparison> {
        context.caller.ensure_admin()?;
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        binding::get(db, tenant, id).await?;
        if module::published(db, tenant, digest).await?.is_none() {
            return Err(Error::not_found("module"));
        }
        let plugin = self.loaded(tenant, digest).await?;
        let host = self.host().await?;
        let last = last.clamp(1, COMPARED_MAX).into();
        let mut found = Comparison::default();
        for row in call::of_binding(db, tenant, id, false, last).await? {
            let Some(record) = record(&row)? else {
                continue;
            };
            let said = host.again::<Lobby>(&plugin, &record).await;
            let said = said.map_err(|fault| Error::internal(fault.to_string()))?;
            let outcome = match said.outcome {
                Outcome::Verdict(json) => Ok(serde_json::from_value::<Verdict>(json)?),
                Outcome::Fault(fault) => Err(fault),
            };
            let (verdict, subject) = told(&outcome);
            found.compared += 1;
            if (verdict, subject) != (row.verdict.as_str(), row.subject.as_str()) {
                let (verdict, subject) = (verdict.to_owned(), subject.to_owned());
                found.changes.push((row, verdict, subject));
            }
        }
        Ok(found)
    }
}

/// The record of a call that ran.
fn record(row: &call::Model) -> Result<Option<Record>> {
    let text = Some(&row.record).filter(|text| !text.is_empty());
    Ok(text.map(|text| serde_json::from_str(text)).transpose()?)
}
