//! Slots and explanations are what the model says, in any zone, over changes of the clock.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{NaiveDate, TimeDelta, Weekday};
use convene_domain::{
    BookingId, HostId, Interval, ScheduleId, ServiceId,
    availability::{
        Availability, DateOverride, HostTime, Hours, Match, Rules, SLOTS_MAX, Schedule, Spans,
        Taken, Taker, TimeOfDay, WeeklyWindow, Window, Zone,
    },
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    MINUTE, at, interval,
    naive::{Model, Wall},
};

/// Clocks that jump by an hour, by half an hour, at midnight, backwards in winter, or not at all.
const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Chatham",
];
const DAY: i64 = 24 * 60;

fn zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(ZONES.to_vec()).prop_map(|name| Zone::named(name).unwrap())
}

fn window() -> impl Strategy<Value = Window> {
    (0u16..96, 1u16..40).prop_map(|(from, length)| {
        let time = |quarters: u16| TimeOfDay::new(quarters / 4, quarters % 4 * 15).unwrap();
        Window::new(time(from), time((from + length).min(96))).unwrap()
    })
}

/// Near a change of most clocks, in minutes since the epoch.
fn some_day() -> impl Strategy<Value = i64> {
    let changes = [
        (2031, 3, 8),
        (2031, 3, 29),
        (2031, 10, 4),
        (2031, 10, 25),
        (2031, 11, 1),
        (2031, 4, 24),
    ];
    (prop::sample::select(changes.to_vec()), 0..3i64 * DAY).prop_map(|((y, m, d), later)| {
        let date = NaiveDate::from_ymd_opt(y, m, d).unwrap();
        date.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() / 60 - DAY + later
    })
}

/// A schedule that matters around a day.
fn schedule(around: i64) -> impl Strategy<Value = Schedule> {
    let weekly = (0u8..7, window()).prop_map(|(day, window)| WeeklyWindow {
        day: Weekday::try_from(day).unwrap(),
        window,
    });
    let date = chrono::DateTime::from_timestamp(around * 60, 0)
        .unwrap()
        .date_naive();
    let overrides =
        prop::collection::btree_map(0i64..6, prop::collection::vec(window(), 0..3), 0..3);
    let blackout = (0..4 * DAY, 1..DAY)
        .prop_map(move |(from, length)| interval(around + from, around + from + length));
    (
        zone(),
        prop::option::weighted(0.8, prop::collection::vec(weekly, 0..14)),
        overrides,
        prop::collection::vec(blackout, 0..3),
    )
        .prop_map(move |(zone, weekly, overrides, blackouts)| Schedule {
            zone,
            weekly,
            overrides: overrides
                .into_iter()
                .map(|(day, windows)| DateOverride {
                    date: date + TimeDelta::days(day),
                    windows,
                })
                .collect(),
            blackouts,
        })
}

fn rules() -> impl Strategy<Value = Rules> {
    (
        zone(),
        prop::sample::select(vec![20i64, 30, 45, 60, 100]),
        (0i64..30, 0i64..30),
        prop::option::weighted(0.8, prop::sample::select(vec![5i64, 10, 15, 30, 45, 60, 7])),
        (0..DAY, prop::option::of(0..4 * DAY)),
        (prop::option::of(1u32..4), prop::option::of(1u32..6)),
    )
        .prop_map(
            |(zone, duration, (before, after), step, (notice, horizon), (day, week))| Rules {
                zone,
                durations_ms: vec![duration * MINUTE],
                buffer_before_ms: before * MINUTE,
                buffer_after_ms: after * MINUTE,
                step_ms: step.map(|step| step * MINUTE),
                notice_ms: notice * MINUTE,
                horizon_ms: horizon.map(|horizon| horizon * MINUTE),
                per_day: day,
                per_week: week,
            },
        )
}

fn service() -> ServiceId {
    ServiceId::from_uuid(Uuid::from_u128(1))
}

fn taken(rules: &Rules, around: i64, starts: &[i64]) -> Vec<Taken> {
    let duration = rules.durations_ms[0] / MINUTE;
    let starts = starts.iter().enumerate().map(|(n, start)| {
        let start = around + start;
        Taken {
            by: Taker::Booking(BookingId::from_uuid(Uuid::from_u128(n as u128))),
            service: service(),
            starts: at(start),
            occupies: interval(start, start + duration)
                .widened(rules.buffer_before_ms, rules.buffer_after_ms),
        }
    });
    starts.collect()
}

fn hours(schedule: &Schedule, within: Interval) -> Hours {
    let id = ScheduleId::from_uuid(Uuid::from_u128(7));
    let known: BTreeMap<ScheduleId, Arc<Spans>> = [(id, Arc::new(schedule.open(within)))]
        .into_iter()
        .collect();
    Hours::of(&[id], &known)
}

fn all() -> impl Strategy<Value = (i64, Schedule, Schedule, Rules, Vec<i64>, u32)> {
    some_day().prop_flat_map(|around| {
        (
            Just(around),
            schedule(around),
            schedule(around),
            rules(),
            prop::collection::vec(-DAY..3 * DAY, 0..12),
            1u32..3,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn slots_are_what_looking_at_every_minute_finds((around, service_schedule, host_schedule, rules, starts, capacity) in all()) {
        let (from, to) = (around + 60, around + 60 + 2 * DAY);
        let taken = taken(&rules, around, &starts);
        let within = interval(from - DAY, to + DAY);
        let host = HostId::from_uuid(Uuid::from_u128(3));
        let availability = Availability {
            now: at(around),
            rules: rules.clone(),
            hours: hours(&service_schedule, within),
            hosts: vec![HostTime::new(host, capacity, hours(&host_schedule, within), service(), taken.clone())],
        };
        // Whole weeks around, as caps look at.
        let (first, last) = (around - 9 * DAY, around + 12 * DAY);
        let wall = Wall::new(rules.zone, first, last);
        let open = |schedule: &Schedule| Wall::new(schedule.zone, first, last).open(schedule);
        let model = Model {
            wall,
            now: around,
            rules: &rules,
            service_open: open(&service_schedule),
            host_open: open(&host_schedule),
            capacity: capacity as usize,
            taken: &taken,
        };
        let duration = rules.durations_ms[0];
        let found = availability.slots(interval(from, to), duration, Match::Any, SLOTS_MAX).unwrap();
        prop_assert!(!found.more);
        let listed: Vec<i64> = found.slots.iter().map(|one| one.slot.start().as_millis() / MINUTE).collect();
        let every = rules.step_ms.is_none().then_some(15);
        for start in from..to {
            let slot = interval(start, start + duration / MINUTE);
            let free = model.free(start, duration / MINUTE);
            // Without a step any start can be booked, and lists show some.
            if every.is_none() {
                prop_assert_eq!(listed.binary_search(&start).is_ok(), free, "list, {}", at(start));
            } else if listed.binary_search(&start).is_ok() {
                prop_assert!(free, "list, {}", at(start));
            }
            prop_assert_eq!(availability.explain(slot, Match::Any).offered, free, "explanation, {}", at(start));
            prop_assert_eq!(availability.may_take(slot, host).is_ok(), free, "booking, {}", at(start));
        }
    }
}
