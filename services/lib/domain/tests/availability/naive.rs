//! The model: what is true at each minute, found by looking at the wall clock of each minute.

use chrono::{Datelike as _, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _};
use convene_domain::{
    Interval,
    availability::{Rules, Schedule, Taken, Window, Zone},
};

use crate::{MINUTE, at};

/// The wall clock of every minute of a span.
pub struct Wall {
    from: i64,
    shown: Vec<NaiveDateTime>,
}

impl Wall {
    /// Of minutes since the epoch.
    pub fn new(zone: Zone, from: i64, to: i64) -> Self {
        let shown = (from..to).map(|minute| zone.local(at(minute))).collect();
        Self { from, shown }
    }

    fn first(&self, wanted: impl Fn(&NaiveDateTime) -> bool) -> Option<usize> {
        self.shown.iter().position(wanted)
    }

    fn last(&self, wanted: impl Fn(&NaiveDateTime) -> bool) -> Option<usize> {
        self.shown.iter().rposition(wanted)
    }

    /// For every minute whether the schedule is open: from the first minute that shows a window's start or later, to the last that shows less
    /// than its end.
    pub fn open(&self, schedule: &Schedule) -> Vec<bool> {
        let mut open = vec![false; self.shown.len()];
        let mut dates: Vec<_> = self.shown.iter().map(|shown| shown.date()).collect();
        dates.sort_unstable();
        dates.dedup();
        for date in dates {
            let on = |minutes| date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
            let whole = vec![(on(0), on(24 * 60))];
            let windows = |windows: &mut dyn Iterator<Item = Window>| {
                windows
                    .map(|one| (on(minutes(one.from())), on(minutes(one.to()))))
                    .collect()
            };
            let overridden = schedule.overrides.iter().find(|one| one.date == date);
            let windows: Vec<_> = match (overridden, &schedule.weekly) {
                (Some(one), _) => windows(&mut one.windows.iter().copied()),
                (None, None) => whole,
                (None, Some(weekly)) => {
                    let today = weekly.iter().filter(|one| one.day == date.weekday());
                    windows(&mut today.map(|one| one.window))
                }
            };
            for (opens, closes) in windows {
                let first = self.first(|shown| *shown >= opens);
                let last = self.last(|shown| *shown < closes);
                if let (Some(first), Some(last)) = (first, last)
                    && first <= last
                {
                    open[first..=last].fill(true);
                }
            }
        }
        for (n, open) in open.iter_mut().enumerate() {
            let minute = self.minute(n);
            *open &= !schedule.blackouts.iter().any(|one| one.overlaps(&minute));
        }
        open
    }

    fn minute(&self, n: usize) -> Interval {
        let from = self.from + n as i64;
        crate::interval(from, from + 1)
    }

    fn index(&self, minute: i64) -> usize {
        usize::try_from(minute - self.from).unwrap()
    }
}

fn minutes(time: convene_domain::availability::TimeOfDay) -> i64 {
    let text = time.to_string();
    let (hour, minute) = text.split_once(':').unwrap();
    hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
}

/// What the model knows of one host and one service.
pub struct Model<'a> {
    pub wall: Wall,
    pub now: i64,
    pub rules: &'a Rules,
    pub service_open: Vec<bool>,
    pub host_open: Vec<bool>,
    pub capacity: usize,
    /// Of this service all of them.
    pub taken: &'a [Taken],
}

impl Model<'_> {
    /// Whether the host can take the slot that starts at a minute.
    pub fn free(&self, start: i64, duration: i64) -> bool {
        let rules = self.rules;
        let minutes = |ms: i64| ms / MINUTE;
        let shown = |minute| self.wall.shown[self.wall.index(minute)];
        let on_step = rules.step_ms.is_none_or(|step| {
            let shown = shown(start);
            i64::from(shown.hour() * 60 + shown.minute()) % minutes(step) == 0
        });
        let inside = || start..start + duration;
        let open = |open: &[bool]| inside().all(|minute| open[self.wall.index(minute)]);
        let starts = || {
            self.taken
                .iter()
                .map(|one| shown(minutes(one.starts.as_millis())))
        };
        let today = starts().filter(|other| other.date() == shown(start).date());
        let week = starts().filter(|other| other.iso_week() == shown(start).iso_week());
        let below = |cap: Option<u32>, count: usize| cap.is_none_or(|cap| count < cap as usize);
        let before = start - minutes(rules.buffer_before_ms);
        let after = start + duration + minutes(rules.buffer_after_ms);
        let room = (before..after).all(|minute| {
            let busy = self.taken.iter();
            let busy =
                busy.filter(|one| one.occupies.overlaps(&crate::interval(minute, minute + 1)));
            busy.count() < self.capacity
        });
        rules.durations_ms.contains(&(duration * MINUTE))
            && on_step
            && start > self.now
            && start >= self.now + minutes(rules.notice_ms)
            && rules
                .horizon_ms
                .is_none_or(|ms| start <= self.now + minutes(ms))
            && open(&self.service_open)
            && open(&self.host_open)
            && below(rules.per_day, today.count())
            && below(rules.per_week, week.count())
            && room
    }
}
