//! Opening hours.

use convene_domain::{ScheduleId, availability::Schedule};
use convene_kit::{Context, Result, convert, idempotency::Key, ids, limits};

use super::{Page, Scheduler, own_host};
use crate::store::schedule;

/// A schedule to be made.
#[derive(Debug)]
pub struct NewSchedule {
    pub key: Key,
    pub name: String,
    pub hours: Schedule,
}

impl Scheduler {
    pub async fn create_schedule(
        &self,
        context: &Context,
        new: NewSchedule,
    ) -> Result<schedule::Model> {
        context.caller.ensure_admin()?;
        let name = convert::text("name", &new.name)?;
        new.hours.check()?;
        let hours = serde_json::to_string(&new.hours)?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(id) = new.key.find(tx, &origin).await? {
                        return schedule::get(tx, origin.tenant, ScheduleId::from_uuid(id)).await;
                    }
                    let row = schedule::Model {
                        tenant_id: origin.tenant.as_uuid(),
                        id: ids::new(),
                        name,
                        hours,
                        created_at_ms: origin.now.as_millis(),
                    };
                    schedule::insert(tx, row.clone()).await?;
                    new.key.remember(tx, &origin, row.id).await?;
                    Ok(row)
                })
            })
            .await
    }

    /// Bookings that stand already stay where they are.
    pub async fn update_schedule(
        &self,
        context: &Context,
        id: ScheduleId,
        name: &str,
        hours: &Schedule,
    ) -> Result<schedule::Model> {
        context.caller.ensure_admin()?;
        let name = convert::text("name", name)?;
        hours.check()?;
        let hours = serde_json::to_string(hours)?;
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| Box::pin(schedule::update(tx, tenant, id, (name, hours))))
            .await
    }

    /// Everyone of the tenant may know when it is open, but guests: they have their appointment.
    pub async fn get_schedule(&self, context: &Context, id: ScheduleId) -> Result<schedule::Model> {
        own_host(&context.caller)?;
        schedule::get(self.deps.db.read(), context.caller.tenant, id).await
    }

    pub async fn list_schedules(
        &self,
        context: &Context,
        after: Option<ScheduleId>,
        first: u32,
    ) -> Result<Page<schedule::Model>> {
        own_host(&context.caller)?;
        let limit = limits::page(first);
        let tenant = context.caller.tenant;
        let rows = schedule::page(self.deps.db.read(), tenant, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }
}
