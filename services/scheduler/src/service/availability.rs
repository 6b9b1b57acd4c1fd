//! Which slots can be booked. Questions read what is committed; a booking asks the same behind its locks.

use convene_domain::{
    HostId, Interval, ScheduleId, ServiceId, TenantId, Timestamp,
    assignment::Mode,
    availability::{
        Availability, Explained, Found, HOSTS_MAX, HostAvailability, Match, SLOTS_MAX,
        ServiceAvailability,
    },
};
use convene_kit::{Context, Error, KeyScope, Result, Tx};

use super::{
    Scheduler,
    assign::{self, Whom},
    own_host,
};
use crate::store::{self, host, service};

/// Slots in one answer when nothing else is asked.
const SLOTS_DEFAULT: usize = 100;

/// Of whom and how long.
#[derive(Debug)]
pub struct SlotsOf {
    pub service: ServiceId,
    /// Without hosts and without an assignment of the service, all hosts of the tenant.
    pub whom: Whom,
    /// The service's own when `None`.
    pub duration_ms: Option<i64>,
}

impl Scheduler {
    pub async fn list_slots(
        &self,
        context: &Context,
        of: SlotsOf,
        (from, to): (Timestamp, Timestamp),
        first: u32,
    ) -> Result<Found> {
        let starts = Interval::new(from, to)
            .ok_or_else(|| Error::invalid("to", "SPAN_EMPTY", "to must be after from"))?;
        let first = match first as usize {
            0 => SLOTS_DEFAULT,
            first @ 1..=SLOTS_MAX => first,
            _ => {
                let message = format!("first is 1 to {SLOTS_MAX}");
                return Err(Error::invalid("first", "OUT_OF_RANGE", message));
            }
        };
        let (availability, who, duration) = self.asked(context, &of, starts).await?;
        // Judging may take longer than others on this thread should wait.
        let judged =
            tokio::task::spawn_blocking(move || availability.slots(starts, duration, who, first));
        let found = judged
            .await
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(found?)
    }

    pub async fn explain_slot(
        &self,
        context: &Context,
        of: SlotsOf,
        start: Timestamp,
    ) -> Result<(Interval, Explained)> {
        let moment = Interval::new(start, start.plus_millis(1));
        let moment = moment.ok_or_else(|| Error::internal("a moment without time"))?;
        let (availability, who, duration) = self.asked(context, &of, moment).await?;
        let slot = Interval::new(start, start.plus_millis(duration));
        let slot = slot.ok_or_else(|| Error::internal("a slot without duration"))?;
        Ok((slot, availability.explain(slot, who)))
    }

    /// What is known around starts, and how long a slot is.
    async fn asked(
        &self,
        context: &Context,
        of: &SlotsOf,
        starts: Interval,
    ) -> Result<(Availability, Match, i64)> {
        context.caller.ensure_may(KeyScope::BookingsRead)?;
        let own = own_host(&context.caller)?;
        // Before anything is read for it.
        Availability::check_span(starts)?;
        if let Some(duration) = of.duration_ms {
            super::catalogue::duration("durationMs", duration, 1)?;
        }
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        let service = service::get(db, tenant, of.service).await;
        let service = service.map_err(|error| error.on_field("serviceId"))?;
        let (who, hosts) = match own {
            Some(own) if of.whom.hosts.iter().any(|host| *host != own) => {
                return Err(Error::not_found("host").on_field("hostIds"));
            }
            Some(own) => (Match::Any, self.hosts(tenant, &[own]).await?),
            None => self.candidates(tenant, &service, &of.whom).await?,
        };
        let duration = of.duration_ms.unwrap_or(service.duration_ms);
        let slots = starts.widened(0, duration);
        let now = self.deps.clock.now();
        let known = store::availability::load(db, tenant, now, &service, &hosts, slots);
        Ok((known.await?, who, duration))
    }

    /// Those who could take a wish, and how many of them have to.
    async fn candidates(
        &self,
        tenant: TenantId,
        service: &service::Model,
        whom: &Whom,
    ) -> Result<(Match, Vec<host::Model>)> {
        let assignment = service.assignment()?;
        if assignment.is_none() && whom.hosts.is_empty() {
            let who = if whom.all { Match::All } else { Match::Any };
            return Ok((who, self.hosts(tenant, &[]).await?));
        }
        let (mode, members) =
            assign::candidates(assignment, whom).map_err(|error| error.on_field("hostIds"))?;
        let able = members
            .iter()
            .filter(|one| one.skills.is_superset(&whom.skills));
        let able: Vec<_> = able.map(|one| one.host).collect();
        let who = match mode {
            Mode::Collective => Match::All,
            Mode::Single | Mode::RoundRobin => Match::Any,
        };
        if able.is_empty() || (who == Match::All && able.len() < members.len()) {
            return Err(assign::NOT_ABLE.into());
        }
        Ok((who, self.hosts(tenant, &able).await?))
    }

    /// The tenant's hosts of these ids in their order; all that it has when none are named.
    async fn hosts(&self, tenant: TenantId, ids: &[HostId]) -> Result<Vec<host::Model>> {
        let db = self.deps.db.read();
        let too_many = || {
            let message = format!("ask for at most {HOSTS_MAX} hosts at once; name them");
            Error::invalid("hostIds", "TOO_MANY_HOSTS", message)
        };
        if ids.is_empty() {
            let all = host::page(db, tenant, None, HOSTS_MAX as u64 + 1).await?;
            return match all.len() {
                0 => Err(Error::not_found("host").on_field("hostIds")),
                1..=HOSTS_MAX => Ok(all),
                _ => Err(too_many()),
            };
        }
        if ids.len() > HOSTS_MAX {
            return Err(too_many());
        }
        let rows = host::of_ids(db, tenant, ids).await?;
        let mut found = Vec::with_capacity(ids.len());
        for (nth, id) in ids.iter().enumerate() {
            if ids[..nth].contains(id) {
                continue;
            }
            let row = rows.iter().find(|row| row.id == id.as_uuid());
            let row = row.ok_or_else(|| Error::not_found("host").on_field("hostIds"))?;
            found.push(row.clone());
        }
        Ok(found)
    }

    pub async fn set_service_availability(
        &self,
        context: &Context,
        id: ServiceId,
        availability: ServiceAvailability,
    ) -> Result<service::Model> {
        context.caller.ensure_admin()?;
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut row = service::lock(tx, tenant, id).await?;
                    availability.check(row.duration_ms)?;
                    schedules_exist(tx, tenant, &availability.schedules).await?;
                    service::set_availability(tx, &mut row, &availability).await?;
                    Ok(row)
                })
            })
            .await
    }

    pub async fn set_host_availability(
        &self,
        context: &Context,
        id: HostId,
        availability: HostAvailability,
    ) -> Result<host::Model> {
        context.caller.ensure_admin()?;
        availability.check()?;
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut row = host::lock(tx, tenant, id).await?;
                    schedules_exist(tx, tenant, &availability.schedules).await?;
                    host::set_availability(tx, &mut row, &availability).await?;
                    Ok(row)
                })
            })
            .await
    }
}

/// Refuses schedules that are not there; they cannot go away.
pub(super) async fn schedules_exist(tx: &Tx, tenant: TenantId, ids: &[ScheduleId]) -> Result<()> {
    let known = store::schedule::of_ids(tx, tenant, ids).await?;
    match known.len() == ids.len() {
        true => Ok(()),
        false => Err(Error::not_found("schedule").on_field("scheduleIds")),
    }
}
