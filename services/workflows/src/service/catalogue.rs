//! Publishing workflows and switching them on.

use convene_kit::{Context, Error, Result};
use uuid::Uuid;

use super::Workflows;
use crate::{
    definition::{Problem, parse},
    store::{
        definitions::to_i32,
        workflow::{self, ViewedWorkflow},
    },
};

/// Workflows of one tenant.
const WORKFLOWS_MAX: u64 = 100;
/// Services that a workflow can be bound to.
const SERVICES_MAX: usize = 100;

/// Which version is to start runs, for which bookings.
#[derive(Debug)]
pub struct Activation {
    pub name: String,
    /// The newest when left out.
    pub version: Option<u32>,
    /// Bookings of these services; of all when empty.
    pub services: Vec<Uuid>,
}

impl Workflows {
    /// What is wrong with a definition; nothing is kept.
    pub fn check(&self, context: &Context, source: &str) -> Result<Vec<Problem>> {
        context.caller.ensure_admin()?;
        Ok(parse(source).err().unwrap_or_default())
    }

    /// Keeps a definition as the next version of its workflow. What the newest version says already is that version.
    pub async fn publish(&self, context: &Context, source: String) -> Result<ViewedWorkflow> {
        context.caller.ensure_admin()?;
        let definition = parse(&source).map_err(|problems| refusal(&problems))?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (tenant, name) = (origin.tenant, definition.name.clone());
                    convene_kit::store::lock(tx, &format!("workflow/{tenant}/{name}")).await?;
                    let known = workflow::find(tx, tenant, &name).await?;
                    let newest = known.as_ref().map_or(0, |row| row.newest);
                    if newest > 0 {
                        let last = workflow::version(tx, tenant, &name, newest).await?;
                        if last.source == source {
                            return workflow::view(tx, tenant, &name).await;
                        }
                    } else if workflow::count(tx, tenant).await? >= WORKFLOWS_MAX {
                        return Err(Error::refused(
                            "TOO_MANY_WORKFLOWS",
                            format!("a tenant has at most {WORKFLOWS_MAX} workflows; publish a new version of one of them"),
                        ));
                    }
                    let version = newest.saturating_add(1);
                    let row = workflow::version::Model {
                        tenant_id: tenant.as_uuid(),
                        name: name.clone(),
                        version,
                        title: definition.title.clone(),
                        source,
                        published_by: origin.actor.clone(),
                        published_at_ms: origin.now.as_millis(),
                    };
                    workflow::insert_version(tx, row).await?;
                    match known {
                        Some(row) => workflow::update(tx, workflow::Model { newest: version, ..row }).await?,
                        None => {
                            let row = workflow::Model {
                                tenant_id: tenant.as_uuid(),
                                name: name.clone(),
                                newest: version,
                                active: None,
                                services: "[]".to_owned(),
                                created_at_ms: origin.now.as_millis(),
                            };
                            workflow::insert(tx, row).await?;
                        }
                    }
                    workflow::view(tx, tenant, &name).await
                })
            })
            .await
    }

    /// From now on this version starts runs. Runs keep the version that they began with.
    pub async fn activate(&self, context: &Context, asked: Activation) -> Result<ViewedWorkflow> {
        context.caller.ensure_admin()?;
        if asked.services.len() > SERVICES_MAX {
            return Err(Error::invalid(
                "serviceIds",
                "TOO_MANY_SERVICES",
                format!("name at most {SERVICES_MAX} services, or none for all"),
            ));
        }
        let services = serde_json::to_string(&asked.services)?;
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let lock = format!("workflow/{tenant}/{}", asked.name);
                    convene_kit::store::lock(tx, &lock).await?;
                    let row = workflow::get(tx, tenant, &asked.name).await?;
                    let version = asked.version.map_or(row.newest, to_i32);
                    let named = workflow::version(tx, tenant, &asked.name, version).await;
                    named.map_err(|error| error.on_field("version"))?;
                    let row = workflow::Model {
                        active: Some(version),
                        services,
                        ..row
                    };
                    workflow::update(tx, row).await?;
                    workflow::view(tx, tenant, &asked.name).await
                })
            })
            .await
    }

    /// Nothing starts it any more; its runs go on.
    pub async fn deactivate(&self, context: &Context, name: String) -> Result<ViewedWorkflow> {
        context.caller.ensure_admin()?;
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let lock = format!("workflow/{tenant}/{name}");
                    convene_kit::store::lock(tx, &lock).await?;
                    let row = workflow::get(tx, tenant, &name).await?;
                    let row = workflow::Model {
                        active: None,
                        ..row
                    };
                    workflow::update(tx, row).await?;
                    workflow::view(tx, tenant, &name).await
                })
            })
            .await
    }

    pub async fn get(&self, context: &Context, name: &str) -> Result<ViewedWorkflow> {
        context.caller.ensure_admin()?;
        workflow::view(self.deps.db.read(), context.caller.tenant, name).await
    }

    pub async fn list(&self, context: &Context) -> Result<Vec<ViewedWorkflow>> {
        context.caller.ensure_admin()?;
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        workflow::view_all(db, tenant).await
    }
}

/// The first problem, and how many there are.
fn refusal(problems: &[Problem]) -> Error {
    let first = problems.first();
    let said = first.map_or_else(String::new, |first| {
        let place = match first.path.as_str() {
            "" => String::new(),
            path => format!("{path}: "),
        };
        format!("line {}: {place}{}", first.line, first.message)
    });
    let more = match problems.len() {
        0 | 1 => String::new(),
        many => format!(" (and {} more; checkWorkflow names all)", many - 1),
    };
    Error::invalid("source", "INVALID_WORKFLOW", format!("{said}{more}"))
}
