//! What is known of a service and its hosts around some slots, read in one place for questions and for bookings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use convene_domain::{
    HostId, Interval, ScheduleId, ServiceId, TenantId, Timestamp,
    availability::{Availability, HostTime, Hours, Spans},
};
use convene_kit::Result;
use sea_orm::ConnectionTrait;

use super::{host, occupancy, schedule, service};

/// Reads what judging slots within a span of time needs. A booking calls it behind the hosts' locks.
pub async fn load<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    now: Timestamp,
    service: &service::Model,
    hosts: &[host::Model],
    slots: Interval,
) -> Result<Availability> {
    let (rules, limits) = service.rules()?;
    let of_hosts = hosts.iter().map(|host| Ok(host.availability()?.schedules));
    let of_hosts = of_hosts.collect::<Result<Vec<_>>>()?;
    let wanted = limits.schedules.iter().chain(of_hosts.iter().flatten());
    let known = open(c, tenant, wanted.copied().collect(), slots).await?;

    let ids = hosts.iter().map(|host| HostId::from_uuid(host.id));
    let reach = Availability::reach(&rules, slots);
    let mut taken = occupancy::within(c, tenant, ids, (now, reach)).await?;
    let of = ServiceId::from_uuid(service.id);
    let hosts = hosts.iter().zip(&of_hosts).map(|(row, schedules)| {
        let id = HostId::from_uuid(row.id);
        let capacity = row.capacity.unsigned_abs();
        let hours = Hours::of(schedules, &known);
        HostTime::new(
            id,
            capacity,
            hours,
            of,
            taken.remove(&id).unwrap_or_default(),
        )
    });
    Ok(Availability {
        now,
        hosts: hosts.collect(),
        hours: Hours::of(&limits.schedules, &known),
        rules,
    })
}

/// When each schedule is open; worked out once, however many share it.
async fn open<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    ids: BTreeSet<ScheduleId>,
    within: Interval,
) -> Result<BTreeMap<ScheduleId, Arc<Spans>>> {
    let ids: Vec<_> = ids.into_iter().collect();
    let rows = schedule::of_ids(c, tenant, &ids).await?;
    let open = rows.iter().map(|row| {
        let open = row.schedule()?.open(within);
        Ok((ScheduleId::from_uuid(row.id), Arc::new(open)))
    });
    open.collect()
}
