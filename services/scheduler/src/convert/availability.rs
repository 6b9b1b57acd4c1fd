//! Hours, limits, slots and their explanations between proto and domain.

use chrono::Weekday;
use convene_domain::{
    Interval, ScheduleId, Timestamp,
    availability::{
        DateOverride, Explained, Found, HOSTS_MAX, HostAvailability, Schedule, ServiceAvailability,
        Source, Taker, TimeOfDay, Verdict, WeeklyWindow, Window, Zone,
    },
};
use convene_kit::{
    Error, Result,
    convert::{id, required_time, to_wire},
    idempotency::Key,
};
use convene_proto::scheduler::v1 as wire;
use prost::Message as _;

use crate::{
    service::{NewSchedule, SlotsOf, Whom},
    store,
};

pub fn schedule(row: store::schedule::Model) -> Result<wire::Schedule> {
    Ok(wire::Schedule {
        hours: Some(hours_to_wire(row.schedule()?)),
        id: row.id.to_string(),
        name: row.name,
        created_at: Some(to_wire(Timestamp::from_millis(row.created_at_ms))),
    })
}

pub fn new_schedule(mut request: wire::CreateScheduleRequest) -> Result<NewSchedule> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(NewSchedule {
        key: Key::new("CreateSchedule", &key, &request.encode_to_vec())?,
        name: request.name,
        hours: hours(request.hours.unwrap_or_default())?,
    })
}

fn hours_to_wire(schedule: Schedule) -> wire::Hours {
    let weekly = schedule.weekly.as_deref().unwrap_or_default().iter();
    wire::Hours {
        zone: schedule.zone.name().to_owned(),
        always: schedule.weekly.is_none(),
        weekly: weekly
            .map(|one| wire::WeeklyWindow {
                day: one.day.number_from_monday(),
                window: Some(window_to_wire(&one.window)),
            })
            .collect(),
        overrides: schedule
            .overrides
            .iter()
            .map(|one| wire::DateOverride {
                date: one.date.to_string(),
                windows: one.windows.iter().map(window_to_wire).collect(),
            })
            .collect(),
        blackouts: schedule
            .blackouts
            .iter()
            .map(|one| wire::Blackout {
                start: Some(to_wire(one.start())),
                end: Some(to_wire(one.end())),
            })
            .collect(),
    }
}

fn window_to_wire(window: &Window) -> wire::Window {
    wire::Window {
        from: window.from().to_string(),
        to: window.to().to_string(),
    }
}

pub fn hours(hours: wire::Hours) -> Result<Schedule> {
    let weekly = hours.weekly.into_iter().enumerate().map(|(nth, one)| {
        let field = format!("weekly[{nth}]");
        let day = u8::try_from(one.day)
            .ok()
            .and_then(|day| day.checked_sub(1));
        let day = day
            .and_then(|day| Weekday::try_from(day).ok())
            .ok_or_else(|| {
                Error::invalid(
                    format!("{field}.day"),
                    "OUT_OF_RANGE",
                    "a day is 1, Monday, to 7, Sunday",
                )
            })?;
        let window = window(&field, &one.window.unwrap_or_default())?;
        Ok(WeeklyWindow { day, window })
    });
    let weekly = weekly.collect::<Result<Vec<_>>>()?;
    let overrides = hours.overrides.into_iter().enumerate().map(|(nth, one)| {
        let field = format!("overrides[{nth}]");
        let date = one.date.parse().map_err(|_| {
            Error::invalid(
                format!("{field}.date"),
                "DATE_MALFORMED",
                "a date is YYYY-MM-DD",
            )
        })?;
        let windows = one.windows.iter().map(|one| window(&field, one));
        Ok(DateOverride {
            date,
            windows: windows.collect::<Result<_>>()?,
        })
    });
    let blackouts = hours.blackouts.into_iter().enumerate().map(|(nth, one)| {
        let field = format!("blackouts[{nth}]");
        let at = |time| required_time("start", time).map_err(|error| error.on_field(&*field));
        Interval::new(at(one.start)?, at(one.end)?).ok_or_else(|| {
            Error::invalid(
                &*field,
                "END_BEFORE_START",
                "a black-out ends after it starts",
            )
        })
    });
    Ok(Schedule {
        zone: zone(&hours.zone)?,
        overrides: overrides.collect::<Result<_>>()?,
        blackouts: blackouts.collect::<Result<_>>()?,
        weekly: (!hours.always).then_some(weekly),
    })
}

fn window(field: &str, window: &wire::Window) -> Result<Window> {
    let time = |text: &str| TimeOfDay::parse(text);
    let read = || Window::new(time(&window.from)?, time(&window.to)?);
    read().map_err(|refused| Error::from(refused).on_field(field))
}

fn zone(name: &str) -> Result<Zone> {
    match name {
        "" => Ok(Zone::UTC),
        name => Zone::named(name).map_err(|refused| Error::from(refused).on_field("zone")),
    }
}

pub fn service_limits(limits: ServiceAvailability) -> wire::ServiceAvailability {
    wire::ServiceAvailability {
        zone: limits.zone.name().to_owned(),
        other_durations_ms: limits.other_durations_ms,
        step_ms: limits.step_ms.unwrap_or(0),
        minimum_notice_ms: limits.notice_ms,
        horizon_ms: limits.horizon_ms.unwrap_or(0),
        max_per_day: limits.per_day.unwrap_or(0),
        max_per_week: limits.per_week.unwrap_or(0),
        schedule_ids: texts(&limits.schedules),
    }
}

pub fn new_service_limits(limits: wire::ServiceAvailability) -> Result<ServiceAvailability> {
    Ok(ServiceAvailability {
        zone: zone(&limits.zone)?,
        other_durations_ms: limits.other_durations_ms,
        step_ms: Some(limits.step_ms).filter(|step| *step != 0),
        notice_ms: limits.minimum_notice_ms,
        horizon_ms: Some(limits.horizon_ms).filter(|horizon| *horizon != 0),
        per_day: Some(limits.max_per_day).filter(|cap| *cap != 0),
        per_week: Some(limits.max_per_week).filter(|cap| *cap != 0),
        schedules: ids("scheduleIds", &limits.schedule_ids)?,
    })
}

pub fn host_limits(limits: &HostAvailability) -> wire::HostAvailability {
    wire::HostAvailability {
        schedule_ids: texts(&limits.schedules),
    }
}

pub fn new_host_limits(limits: &wire::HostAvailability) -> Result<HostAvailability> {
    Ok(HostAvailability {
        schedules: ids("scheduleIds", &limits.schedule_ids)?,
    })
}

/// `(of whom, from, to, how many)`.
pub fn slots_wanted(
    request: wire::ListSlotsRequest,
) -> Result<(SlotsOf, (Timestamp, Timestamp), u32)> {
    let from = required_time("from", request.from)?;
    let to = required_time("to", request.to)?;
    let of = slots_of(
        &request.service_id,
        &request.host_ids,
        (request.all_hosts, request.skills),
        request.duration_ms,
    )?;
    Ok((of, (from, to), request.first))
}

pub fn slot_asked(request: wire::ExplainSlotRequest) -> Result<(SlotsOf, Timestamp)> {
    let start = required_time("start", request.start)?;
    let of = slots_of(
        &request.service_id,
        &request.host_ids,
        (request.all_hosts, request.skills),
        request.duration_ms,
    )?;
    Ok((of, start))
}

fn slots_of(
    service: &str,
    hosts: &[String],
    (all, skills): (bool, Vec<String>),
    duration_ms: i64,
) -> Result<SlotsOf> {
    Ok(SlotsOf {
        service: id("serviceId", service)?,
        whom: whom("hostIds", hosts, all, skills)?,
        duration_ms: Some(duration_ms).filter(|duration| *duration != 0),
    })
}

/// Whom a wish or a question is about.
pub fn whom(field: &'static str, hosts: &[String], all: bool, skills: Vec<String>) -> Result<Whom> {
    let mut distinct = Vec::new();
    for host in ids(field, hosts)? {
        if !distinct.contains(&host) {
            distinct.push(host);
        }
        if distinct.len() > HOSTS_MAX {
            let message = format!("name at most {HOSTS_MAX} hosts at once");
            return Err(Error::invalid(field, "TOO_MANY_HOSTS", message));
        }
    }
    Ok(Whom {
        hosts: distinct,
        all,
        skills: skills.into_iter().collect(),
    })
}

pub fn slots(found: Found) -> wire::ListSlotsResponse {
    let slots = found.slots.into_iter().map(|one| wire::Slot {
        start: Some(to_wire(one.slot.start())),
        end: Some(to_wire(one.slot.end())),
        host_ids: one.hosts.iter().map(ToString::to_string).collect(),
    });
    wire::ListSlotsResponse {
        slots: slots.collect(),
        has_more: found.more,
    }
}

pub fn explained((slot, explained): (Interval, Explained)) -> wire::ExplainSlotResponse {
    let verdicts = |of: Vec<Verdict>| of.into_iter().map(verdict).collect();
    wire::ExplainSlotResponse {
        offered: explained.offered,
        start: Some(to_wire(slot.start())),
        end: Some(to_wire(slot.end())),
        verdicts: verdicts(explained.verdicts),
        hosts: explained
            .hosts
            .into_iter()
            .map(|one| wire::HostVerdicts {
                host_id: one.host.to_string(),
                free: one.free,
                verdicts: verdicts(one.verdicts),
            })
            .collect(),
    }
}

fn verdict(verdict: Verdict) -> wire::Verdict {
    let (mut schedule_ids, mut booking_ids, mut hold_count) = (Vec::new(), Vec::new(), 0);
    for source in verdict.sources {
        match source {
            Source::Schedule(id) => schedule_ids.push(id.to_string()),
            Source::Taker(Taker::Booking(id)) => booking_ids.push(id.to_string()),
            Source::Taker(Taker::Hold(_)) => hold_count += 1,
        }
    }
    wire::Verdict {
        rule: verdict.rule.name().to_owned(),
        holds: verdict.holds,
        says: verdict.says,
        schedule_ids,
        booking_ids,
        hold_count,
    }
}

fn ids<T>(field: &'static str, texts: &[String]) -> Result<Vec<T>>
where
    T: std::str::FromStr<Err = convene_domain::MalformedId>,
{
    texts.iter().map(|text| id(field, text)).collect()
}

fn texts(ids: &[ScheduleId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
