//! Reading hours and slots.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::scheduler::v1 as wire;

use super::{connected, page, page_cost};
use crate::{
    error::fault,
    ids::{self, Kind, encode},
    model::{
        api,
        availability::{self, AvailableSlots, SlotExplanation},
        request,
        schedule::Schedule,
        status, time,
    },
};

/// A page of schedules.
type Schedules = async_graphql::connection::Connection<String, Schedule>;

/// Reading hours and slots.
#[derive(Default)]
pub struct Slots;

#[Object]
impl Slots {
    /// Slots of a service that can be booked, with starts in [from, to): at most 92 days. Booking apps, admins, hosts for themselves.
    #[graphql(complexity = "slots_cost(first) * child_complexity")]
    #[allow(clippy::too_many_arguments)]
    async fn available_slots(
        &self,
        ctx: &Context<'_>,
        service_id: ID,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        #[graphql(
            desc = "Whose wall clock `localStart` shows: an IANA name, or a Windows one.",
            default_with = "availability::utc()"
        )]
        zone: String,
        #[graphql(
            desc = "Who may take them, at most 100; all hosts when left out.",
            default
        )]
        host_ids: Vec<ID>,
        #[graphql(desc = "All of the hosts have to be free, not one of them.", default)]
        all_hosts: bool,
        #[graphql(desc = "What whoever takes it has to be able to.", default)] skills: Vec<String>,
        #[graphql(desc = "One of the service's durations; its own when left out.")]
        duration_ms: Option<i64>,
        #[graphql(desc = "At most 5000.", default = 100)] first: i32,
    ) -> Result<AvailableSlots> {
        let zone = availability::zone(&zone).map_err(fault)?;
        let out_of_range = || Error::invalid("first", "OUT_OF_RANGE", "first is 1 to 5000");
        let first = u32::try_from(first).ok().filter(|first| *first > 0);
        let message = wire::ListSlotsRequest {
            service_id: ids::text(Kind::Service, "serviceId", &service_id).map_err(fault)?,
            from: Some(time::to_wire(from)),
            to: Some(time::to_wire(to)),
            host_ids: availability::texts(Kind::Host, "hostIds", &host_ids).map_err(fault)?,
            all_hosts,
            skills,
            duration_ms: duration(duration_ms)?,
            first: first.ok_or_else(|| fault(out_of_range()))?,
        };
        let found = api(ctx)?
            .scheduler()
            .list_slots(request(ctx, message)?)
            .await;
        let found = found.map_err(status)?.into_inner();
        Ok(AvailableSlots::new(zone, found))
    }

    /// Rule by rule, why a slot can be booked or not. Booking apps, admins, hosts for themselves.
    #[graphql(complexity = "10 * child_complexity")]
    #[allow(clippy::too_many_arguments)]
    async fn explain_slot(
        &self,
        ctx: &Context<'_>,
        service_id: ID,
        start: DateTime<Utc>,
        #[graphql(
            desc = "Who may take it, at most 100; all hosts when left out.",
            default
        )]
        host_ids: Vec<ID>,
        #[graphql(desc = "All of the hosts have to be free, not one of them.", default)]
        all_hosts: bool,
        #[graphql(desc = "What whoever takes it has to be able to.", default)] skills: Vec<String>,
        #[graphql(desc = "One of the service's durations; its own when left out.")]
        duration_ms: Option<i64>,
    ) -> Result<SlotExplanation> {
        let message = wire::ExplainSlotRequest {
            service_id: ids::text(Kind::Service, "serviceId", &service_id).map_err(fault)?,
            start: Some(time::to_wire(start)),
            host_ids: availability::texts(Kind::Host, "hostIds", &host_ids).map_err(fault)?,
            all_hosts,
            skills,
            duration_ms: duration(duration_ms)?,
        };
        let explained = api(ctx)?
            .scheduler()
            .explain_slot(request(ctx, message)?)
            .await;
        let explained = explained.map_err(status)?.into_inner();
        SlotExplanation::new(explained).map_err(fault)
    }

    /// Opening hours.
    async fn schedule(&self, ctx: &Context<'_>, id: ID) -> Result<Schedule> {
        let id = ids::text(Kind::Schedule, "id", &id).map_err(fault)?;
        schedule(ctx, id).await
    }

    /// Opening hours in order of creation.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    async fn schedules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
    ) -> Result<Schedules> {
        let page = page(first, after.as_deref(), Kind::Schedule)?;
        let message = wire::ListSchedulesRequest { page: Some(page) };
        let listed = api(ctx)?
            .scheduler()
            .list_schedules(request(ctx, message)?)
            .await;
        let listed = listed.map_err(status)?.into_inner();
        let items = listed.schedules.into_iter();
        let items = items.map(|item| (encode(Kind::Schedule, &item.id), Schedule(item)));
        Ok(connected(after.is_some(), listed.has_more, items))
    }
}

/// One schedule by its UUID.
pub async fn schedule(ctx: &Context<'_>, id: String) -> Result<Schedule> {
    let message = request(ctx, wire::GetScheduleRequest { id })?;
    let schedule = api(ctx)?.scheduler().get_schedule(message).await;
    Ok(Schedule(schedule.map_err(status)?.into_inner()))
}

/// 0 stands for the service's own.
fn duration(ms: Option<i64>) -> Result<i64> {
    match ms {
        None => Ok(0),
        Some(ms) if ms > 0 => Ok(ms),
        Some(_) => {
            let message = "durationMs is at least 1; leave it out for the service's own";
            Err(fault(Error::invalid("durationMs", "OUT_OF_RANGE", message)))
        }
    }
}

/// A slot is a value: fifty of them cost what a field costs.
fn slots_cost(first: i32) -> usize {
    usize::try_from(first).unwrap_or(0) / 50 + 1
}
