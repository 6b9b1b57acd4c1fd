//! Services and hosts: what can be booked, and with whom.

use convene_domain::{
    HostId, ServiceId,
    availability::{HostAvailability, ServiceAvailability},
};
use convene_kit::{Context, Error, Result, Scope, convert, idempotency::Key, ids, limits};

use super::{Page, Scheduler, availability::schedules_exist, own_host};
use crate::store::{booking, host, service};

/// A service's duration and buffers, in milliseconds: a day.
const DURATION_MS_MAX: i64 = 24 * 3_600_000;
/// Meetings that one host may hold at the same time.
const CAPACITY_MAX: u32 = 1_000;

/// A service to be made.
#[derive(Debug)]
pub struct NewService {
    pub key: Key,
    pub name: String,
    pub duration_ms: i64,
    pub buffer_before_ms: i64,
    pub buffer_after_ms: i64,
    pub availability: Option<ServiceAvailability>,
}

/// A host to be made.
#[derive(Debug)]
pub struct NewHost {
    pub key: Key,
    pub name: String,
    pub provider_user: String,
    pub capacity: u32,
    pub availability: Option<HostAvailability>,
}

/// A host as its caller may see it.
#[derive(Debug)]
pub enum SeenHost {
    /// Everything.
    Whole(host::Model),
    /// The name and no more.
    Name(host::Model),
}

impl Scheduler {
    pub async fn create_service(
        &self,
        context: &Context,
        new: NewService,
    ) -> Result<service::Model> {
        context.caller.ensure_admin()?;
        let name = convert::text("name", &new.name)?;
        duration("durationMs", new.duration_ms, 1)?;
        duration("bufferBeforeMs", new.buffer_before_ms, 0)?;
        duration("bufferAfterMs", new.buffer_after_ms, 0)?;
        let limits = new.availability;
        if let Some(limits) = &limits {
            limits.check(new.duration_ms)?;
        }
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(id) = new.key.find(tx, &origin).await? {
                        return service::get(tx, origin.tenant, ServiceId::from_uuid(id)).await;
                    }
                    let schedules = limits.as_ref().map_or(&[][..], |limits| &limits.schedules);
                    schedules_exist(tx, origin.tenant, schedules).await?;
                    let row = service::Model {
                        tenant_id: origin.tenant.as_uuid(),
                        id: ids::new(),
                        name,
                        duration_ms: new.duration_ms,
                        buffer_before_ms: new.buffer_before_ms,
                        buffer_after_ms: new.buffer_after_ms,
                        created_at_ms: origin.now.as_millis(),
                        availability: limits.as_ref().map(serde_json::to_string).transpose()?,
                        assignment: None,
                        policy: None,
                    };
                    service::insert(tx, row.clone()).await?;
                    new.key.remember(tx, &origin, row.id).await?;
                    Ok(row)
                })
            })
            .await
    }

    pub async fn create_host(&self, context: &Context, new: NewHost) -> Result<host::Model> {
        context.caller.ensure_admin()?;
        let name = convert::text("name", &new.name)?;
        let provider_user = convert::text("providerUser", &new.provider_user)?;
        let capacity = match new.capacity {
            0 => 1,
            capacity @ 1..=CAPACITY_MAX => i32::try_from(capacity).unwrap_or(1),
            _ => {
                return Err(Error::invalid(
                    "capacity",
                    "OUT_OF_RANGE",
                    format!("capacity is 1 to {CAPACITY_MAX} meetings at the same time"),
                ));
            }
        };
        let limits = new.availability;
        if let Some(limits) = &limits {
            limits.check()?;
        }
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(id) = new.key.find(tx, &origin).await? {
                        return host::get(tx, origin.tenant, HostId::from_uuid(id)).await;
                    }
                    let schedules = limits.as_ref().map_or(&[][..], |limits| &limits.schedules);
                    schedules_exist(tx, origin.tenant, schedules).await?;
                    let row = host::Model {
                        tenant_id: origin.tenant.as_uuid(),
                        id: ids::new(),
                        name,
                        provider_user,
                        capacity,
                        created_at_ms: origin.now.as_millis(),
                        availability: limits.as_ref().map(serde_json::to_string).transpose()?,
                    };
                    host::insert(tx, row.clone()).await?;
                    new.key.remember(tx, &origin, row.id).await?;
                    Ok(row)
                })
            })
            .await
    }

    /// Everyone of the tenant may know what can be booked and with whom; it is not personal to a visit.
    pub async fn get_service(&self, context: &Context, id: ServiceId) -> Result<service::Model> {
        service::get(self.deps.db.read(), context.caller.tenant, id).await
    }

    /// A host sees itself, a guest the name of the host whom it meets.
    pub async fn get_host(&self, context: &Context, id: HostId) -> Result<SeenHost> {
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        match context.caller.scope {
            Scope::Admin | Scope::BookingApp | Scope::System => {}
            Scope::Host(own) if own == id => {}
            Scope::Host(_) => return Err(Error::not_found("host")),
            Scope::Guest { booking, .. } => {
                let met = booking::of_ids(db, tenant, [booking], Some(id)).await?;
                if met.is_empty() {
                    return Err(Error::not_found("host"));
                }
                return host::get(db, tenant, id).await.map(SeenHost::Name);
            }
        }
        host::get(db, tenant, id).await.map(SeenHost::Whole)
    }

    pub async fn list_services(
        &self,
        context: &Context,
        after: Option<ServiceId>,
        first: u32,
    ) -> Result<Page<service::Model>> {
        own_host(&context.caller)?;
        let limit = limits::page(first);
        let tenant = context.caller.tenant;
        let rows = service::page(self.deps.db.read(), tenant, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    pub async fn list_hosts(
        &self,
        context: &Context,
        after: Option<HostId>,
        first: u32,
    ) -> Result<Page<host::Model>> {
        let limit = limits::page(first);
        let tenant = context.caller.tenant;
        if let Some(own) = own_host(&context.caller)? {
            // Nobody else is there for a host: a page of one.
            let own = host::get(self.deps.db.read(), tenant, own).await?;
            let behind = after.is_some_and(|after| after.as_uuid() >= own.id);
            let items = if behind { vec![] } else { vec![own] };
            return Ok(Page::cut(items, limit));
        }
        let rows = host::page(self.deps.db.read(), tenant, after, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }
}

pub(super) fn duration(field: &'static str, millis: i64, least: i64) -> Result<()> {
    if (least..=DURATION_MS_MAX).contains(&millis) {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        "OUT_OF_RANGE",
        format!("{field} is {least} to {DURATION_MS_MAX} milliseconds (a day)"),
    ))
}
