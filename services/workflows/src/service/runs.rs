//! Runs: started by hand, told, called off, tried again, looked at.

use convene_domain::{
    BookingId, RunId,
    run::{Event, Happening},
};
use convene_kit::{
    Context, Error, Origin, Result, Tx, idempotency::Key, ids, limits, store as spine,
};
use serde_json::Value;
use uuid::Uuid;

use super::Workflows;
use crate::{
    definition::{MANUAL, SIGNAL},
    progress::{advance, advance_by_id},
    store::{
        booking,
        definitions::Definitions,
        run::{self, Filter, Runs},
        workflow,
    },
};

/// A run to be started.
#[derive(Debug)]
pub struct Start {
    pub key: Key,
    pub workflow: String,
    pub booking: BookingId,
    pub data: Value,
}

/// A signal to a run.
#[derive(Debug)]
pub struct Signal {
    pub key: Key,
    pub run: RunId,
    pub name: String,
    pub data: Value,
}

/// A page of runs.
#[derive(Debug)]
pub struct RunPage {
    pub items: Vec<run::Model>,
    pub has_more: bool,
}

impl Workflows {
    /// Starts a run of the active version.
    pub async fn start(&self, context: &Context, asked: Start) -> Result<run::Model> {
        context.caller.ensure_admin()?;
        let origin = context.origin(&self.deps.clock);
        let definitions = self.definitions.clone();
        self.deps
            .db
            .write(move |tx| Box::pin(async move { start(tx, &origin, &definitions, asked).await }))
            .await
    }

    /// Tells a run; what no step waits for yet is kept for one that will.
    pub async fn signal(&self, context: &Context, asked: Signal) -> Result<run::Model> {
        context.caller.ensure_admin()?;
        let origin = context.origin(&self.deps.clock);
        let definitions = self.definitions.clone();
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move { signal(tx, &origin, &definitions, asked).await })
            })
            .await
    }

    /// Calls a run off: nothing more of it is begun.
    pub async fn cancel(&self, context: &Context, id: RunId, reason: String) -> Result<run::Model> {
        context.caller.ensure_admin()?;
        self.change(context, id, Event::RunCancelled { reason })
            .await
    }

    /// Tries the failed step of a failed run again, and goes on from there.
    pub async fn retry(&self, context: &Context, id: RunId) -> Result<run::Model> {
        context.caller.ensure_admin()?;
        self.change(context, id, Event::RetryWanted).await
    }

    async fn change(&self, context: &Context, id: RunId, event: Event) -> Result<run::Model> {
        let origin = context.origin(&self.deps.clock);
        let definitions = self.definitions.clone();
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    spine::change::<Runs>(tx, &origin, id.as_uuid(), event).await?;
                    advance_by_id(tx, &origin, &definitions, id).await?;
                    run::get(tx, origin.tenant, id).await
                })
            })
            .await
    }

    pub async fn get_run(&self, context: &Context, id: RunId) -> Result<run::Model> {
        context.caller.ensure_admin()?;
        run::get(self.deps.db.read(), context.caller.tenant, id).await
    }

    pub async fn list_runs(
        &self,
        context: &Context,
        filter: Filter,
        after: Option<RunId>,
        first: u32,
    ) -> Result<RunPage> {
        context.caller.ensure_admin()?;
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        let after = match after {
            None => None,
            Some(id) => {
                let after = run::get(db, tenant, id).await;
                Some(after.map_err(|error| error.on_field("after"))?)
            }
        };
        let limit = limits::page(first);
        let mut items = run::page(db, tenant, &filter, after.as_ref(), limit + 1).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Ok(RunPage { items, has_more })
    }
}

async fn start(
    tx: &Tx,
    origin: &Origin,
    definitions: &Definitions,
    asked: Start,
) -> Result<run::Model> {
    if let Some(known) = asked.key.find(tx, origin).await? {
        return run::get(tx, origin.tenant, RunId::from_uuid(known)).await;
    }
    let row = workflow::get(tx, origin.tenant, &asked.workflow).await?;
    let Some(version) = row.active.map(i32::unsigned_abs) else {
        return Err(Error::refused(
            "WORKFLOW_INACTIVE",
            "this workflow is switched off; activate a version of it first",
        ));
    };
    let definition = definitions
        .get(tx, origin.tenant, &row.name, version)
        .await?;
    if !definition.triggers.iter().any(|trigger| trigger == MANUAL) {
        return Err(Error::refused(
            "NOT_MANUAL",
            "only a workflow with `manual` among its triggers can be started by hand",
        ));
    }
    if booking::find(tx, origin.tenant, asked.booking)
        .await?
        .is_none()
    {
        return Err(Error::not_found("booking").on_field("bookingId"));
    }
    if run::open(tx, origin.tenant, asked.booking).await?.len() as u64 >= run::OPEN_MAX {
        return Err(Error::refused(
            "TOO_MANY_RUNS",
            format!(
                "a booking has at most {} open runs; cancel some",
                run::OPEN_MAX
            ),
        ));
    }
    let id = ids::new();
    let started = Event::RunStarted {
        workflow: row.name,
        version,
        booking: asked.booking,
        trigger: Happening {
            name: MANUAL.to_owned(),
            at: origin.now,
            key: id,
            data: asked.data,
            taken_by: None,
        },
    };
    let run = spine::insert::<Runs>(tx, origin, id, started, Vec::new()).await?;
    asked.key.remember(tx, origin, id).await?;
    advance(tx, origin, definitions, run).await?;
    run::get(tx, origin.tenant, RunId::from_uuid(id)).await
}

async fn signal(
    tx: &Tx,
    origin: &Origin,
    definitions: &Definitions,
    asked: Signal,
) -> Result<run::Model> {
    let id = asked.run;
    if asked.key.find(tx, origin).await?.is_some() {
        return run::get(tx, origin.tenant, id).await;
    }
    let row = spine::get_for_change::<Runs>(tx, origin.tenant, id.as_uuid()).await?;
    if !row.machine.is_open() {
        return Err(Error::refused(
            "RUN_OVER",
            "this run is over; it takes no signals",
        ));
    }
    let name = format!("{SIGNAL}{}", asked.name);
    let version = row.machine.version;
    let definition = definitions
        .get(tx, origin.tenant, &row.machine.workflow, version)
        .await?;
    if !definition.awaited.contains(&name) {
        return Err(Error::invalid(
            "name",
            "NO_SUCH_SIGNAL",
            format!(
                "no step of this workflow waits for the signal `{}`",
                asked.name
            ),
        ));
    }
    let happened = Event::Happened {
        happening: Happening {
            name,
            at: origin.now,
            key: Uuid::new_v5(&id.as_uuid(), ids::new().as_bytes()),
            data: asked.data,
            taken_by: None,
        },
    };
    let row = spine::apply::<Runs>(tx, origin, row, happened).await?;
    asked.key.remember(tx, origin, id.as_uuid()).await?;
    advance(tx, origin, definitions, row).await?;
    run::get(tx, origin.tenant, id).await
}
