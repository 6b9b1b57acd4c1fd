//! The gate of clocks that change: every zone, every transition of ten years.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Timelike as _, Weekday};
use convene_domain::{
    HostId, Interval, ScheduleId, ServiceId, Timestamp,
    availability::{
        Availability, HostTime, Hours, Match, Rules, SLOTS_MAX, Schedule, TimeOfDay, WeeklyWindow,
        Window, Zone,
    },
};
use uuid::Uuid;

use crate::{MINUTE, at, interval, naive::Wall};

const DAY: i64 = 24 * 60;
/// 2025-01-01 to 2035-01-01, in minutes since the epoch.
const YEARS: (i64, i64) = (28_928_160, 34_186_560);

/// Minutes at which a zone's offset changes.
fn transitions(zone: Zone) -> Vec<i64> {
    let offset = |minute: i64| zone.local(at(minute)).and_utc().timestamp() - minute * 60;
    let mut found = Vec::new();
    let mut from = YEARS.0;
    while from < YEARS.1 {
        let to = from + DAY / 2;
        if offset(from) != offset(to) {
            let (mut before, mut behind) = (from, to);
            while behind - before > 1 {
                let middle = before + (behind - before) / 2;
                if offset(middle) == offset(from) {
                    before = middle;
                } else {
                    behind = middle;
                }
            }
            found.push(behind);
        }
        from = to;
    }
    found
}

/// Zones in which clocks change, each once though it has several names.
fn changing() -> BTreeMap<Vec<(i64, i64)>, Zone> {
    let zones = Zone::all().map(|zone| {
        let shown = |minute: i64| zone.local(at(minute)).and_utc().timestamp();
        let changes = transitions(zone).into_iter();
        (
            changes.map(|minute| (minute, shown(minute))).collect(),
            zone,
        )
    });
    zones
        .filter(|(changes, _): &(Vec<_>, _)| !changes.is_empty())
        .collect()
}

/// Windows that touch, cross and avoid the hours at which clocks change, every day.
fn windows(zone: Zone) -> Schedule {
    let time = |text| TimeOfDay::parse(text).unwrap();
    let days = (0..7).map(|day| Weekday::try_from(day).unwrap());
    let weekly = days.flat_map(|day| {
        [
            ("00:00", "00:30"),
            ("01:30", "02:15"),
            ("02:45", "09:00"),
            ("22:30", "24:00"),
        ]
        .map(|(from, to)| WeeklyWindow {
            day,
            window: Window::new(time(from), time(to)).unwrap(),
        })
    });
    Schedule {
        zone,
        weekly: Some(weekly.collect()),
        ..Schedule::default()
    }
}

fn availability(zone: Zone, schedule: &Schedule, within: Interval, now: Timestamp) -> Availability {
    let id = ScheduleId::from_uuid(Uuid::from_u128(1));
    let known = [(id, Arc::new(schedule.open(within)))]
        .into_iter()
        .collect();
    let service = ServiceId::from_uuid(Uuid::from_u128(2));
    let host = HostId::from_uuid(Uuid::from_u128(3));
    Availability {
        now,
        rules: Rules {
            zone,
            durations_ms: vec![30 * MINUTE],
            buffer_before_ms: 0,
            buffer_after_ms: 0,
            step_ms: Some(15 * MINUTE),
            notice_ms: 0,
            horizon_ms: None,
            per_day: Some(1_000),
            per_week: Some(1_000),
        },
        hours: Hours::of(&[id], &known),
        hosts: vec![HostTime::new(
            host,
            1,
            Hours::default(),
            service,
            Vec::new(),
        )],
    }
}

#[test]
fn every_transition_of_ten_years_in_every_zone() {
    let mut seen = 0;
    for (changes, zone) in changing() {
        let schedule = windows(zone);
        for (change, _) in changes {
            let (from, to) = (change - DAY, change + DAY);
            let wall = Wall::new(zone, from - DAY, to + DAY);
            let model = wall.open(&schedule);
            let open = schedule.open(interval(from - DAY, to + DAY));
            let engine = availability(zone, &schedule, interval(from, to + 60), at(from - 60));
            let found = engine.slots(interval(from, to), 30 * MINUTE, Match::Any, SLOTS_MAX);
            let listed: Vec<_> = found
                .unwrap()
                .slots
                .iter()
                .map(|one| one.slot.start())
                .collect();
            let is_open = |minute: i64| model[(minute - from + DAY) as usize];
            for minute in (from..to).step_by(5) {
                let shown = open.cover(&interval(minute, minute + 1));
                assert_eq!(shown, is_open(minute), "{zone} {}", zone.show(at(minute)));
                let slot = interval(minute, minute + 30);
                let whole = (minute..minute + 30).all(is_open);
                let on_step = zone.local(at(minute)).minute() % 15 == 0;
                let offered = engine.explain(slot, Match::Any).offered;
                assert_eq!(
                    offered,
                    whole && on_step,
                    "{zone} {}",
                    zone.show(at(minute))
                );
                assert_eq!(listed.binary_search(&at(minute)).is_ok(), offered);
            }
            seen += 1;
        }
    }
    assert!(seen > 500, "the database has transitions: {seen}");
}

#[test]
fn a_day_is_as_long_as_its_clock_says() {
    for (changes, zone) in changing() {
        for (change, _) in changes {
            let date = zone.date(at(change));
            let day = zone.days(date, date.succ_opt().unwrap()).unwrap();
            let minutes = day.start().as_millis() / MINUTE..day.end().as_millis() / MINUTE;
            assert!(
                minutes.contains(&change) || minutes.end == change,
                "{zone} {date}"
            );
            assert!(
                (20 * 60..=28 * 60).contains(&(minutes.end - minutes.start)),
                "{zone} {date}"
            );
            assert!(
                minutes
                    .step_by(5)
                    .all(|minute| zone.date(at(minute)) == date),
                "{zone} {date}"
            );
        }
    }
}
