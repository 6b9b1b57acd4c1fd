//! When somebody or something is open: weekly windows on a wall clock, dates on which it is otherwise, and black-outs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use serde::{Deserialize, Serialize};

use super::{Spans, Zone};
use crate::{Interval, Refused};

/// Opening hours. Many hosts and services may share one.
///
/// **Policy of gaps and folds:** a window opens at the first moment at which the wall clock shows its start or later, and closes behind the last
/// moment at which it shows less than its end. What the clock skips is lost, what it repeats belongs to the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Whose wall clock is meant.
    pub zone: Zone,
    /// Windows of the days of the week. `None`: always open but for what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<Vec<WeeklyWindow>>,
    /// Dates on which other windows hold; without any it is closed all day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<DateOverride>,
    /// Closed, whatever else is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blackouts: Vec<Interval>,
}

/// Open on one day of every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyWindow {
    /// Which day.
    pub day: Weekday,
    /// From when to when.
    #[serde(flatten)]
    pub window: Window,
}

/// Open so on one date only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateOverride {
    /// Which date.
    pub date: NaiveDate,
    /// From when to when; none for closed.
    pub windows: Vec<Window>,
}

/// A part of a day on the wall clock: [from, to).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    from: TimeOfDay,
    to: TimeOfDay,
}

/// Minutes since midnight on the wall clock, 0 to 1440. Text is HH:MM, 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// Weekly windows of one schedule.
pub const WEEKLY_MAX: usize = 100;
/// Overridden dates of one schedule.
pub const OVERRIDES_MAX: usize = 1_000;
/// Windows of one date.
pub const DATE_WINDOWS_MAX: usize = 24;
/// Black-outs of one schedule.
pub const BLACKOUTS_MAX: usize = 1_000;

const MALFORMED: Refused = Refused::new(
    "TIME_OF_DAY_MALFORMED",
    "a time of day is HH:MM on the wall clock, 00:00 to 24:00",
);
const EMPTY: Refused = Refused::new(
    "WINDOW_EMPTY",
    "a window ends after it starts on the same day; split one that goes beyond midnight: until 24:00, and from 00:00 of the next day",
);
const TOO_LARGE: Refused = Refused::new(
    "SCHEDULE_TOO_LARGE",
    "a schedule has at most 100 weekly windows, 1000 overridden dates of 24 windows, and 1000 black-outs; drop those of the past",
);
const TWICE: Refused = Refused::new(
    "OVERRIDE_TWICE",
    "a date is overridden once; put all its windows into one override",
);

const MINUTES_MAX: u16 = 24 * 60;

impl TimeOfDay {
    /// From hours and minutes; 24:00 is the end of the day.
    pub fn new(hour: u16, minute: u16) -> Result<Self, Refused> {
        let minutes = hour.saturating_mul(60).saturating_add(minute);
        match minute < 60 && minutes <= MINUTES_MAX {
            true => Ok(Self(minutes)),
            false => Err(MALFORMED),
        }
    }

    /// From HH:MM.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let (hour, minute) = text.split_once(':').ok_or(MALFORMED)?;
        let number = |text: &str| {
            let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| two).ok_or(MALFORMED)
        };
        Self::new(number(hour)?, number(minute)?)
    }

    /// On a date; the end of the day is midnight of the next one.
    fn on(self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(NaiveTime::MIN) + TimeDelta::minutes(self.0.into())
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        Self::parse(&text)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl Window {
    /// `WINDOW_EMPTY` unless it ends after it starts.
    pub fn new(from: TimeOfDay, to: TimeOfDay) -> Result<Self, Refused> {
        match from < to {
            true => Ok(Self { from, to }),
            false => Err(EMPTY),
        }
    }

    /// When it opens.
    pub fn from(&self) -> TimeOfDay {
        self.from
    }

    /// When it closes.
    pub fn to(&self) -> TimeOfDay {
        self.to
    }

    fn on(&self, date: NaiveDate, zone: Zone) -> Option<Interval> {
        let opens = zone.first_from(self.from.on(date));
        Interval::new(opens, zone.last_until(self.to.on(date)))
    }
}

impl Schedule {
    /// Refuses what is too large or says two things of one date.
    pub fn check(&self) -> Result<(), Refused> {
        let windows = self.overrides.iter().map(|one| one.windows.len());
        if self.weekly.as_ref().map_or(0, Vec::len) > WEEKLY_MAX
            || self.overrides.len() > OVERRIDES_MAX
            || windows.max().unwrap_or(0) > DATE_WINDOWS_MAX
            || self.blackouts.len() > BLACKOUTS_MAX
        {
            return Err(TOO_LARGE);
        }
        let dates: BTreeSet<_> = self.overrides.iter().map(|one| one.date).collect();
        match dates.len() == self.overrides.len() {
            true => Ok(()),
            false => Err(TWICE),
        }
    }

    /// When it is open within a span of time. Linear in the days of the span.
    pub fn open(&self, within: Interval) -> Spans {
        let overridden: BTreeMap<_, _> = self
            .overrides
            .iter()
            .map(|one| (one.date, one.windows.as_slice()))
            .collect();
        let day = TimeDelta::days(1);
        // One day more on both sides: where the clock goes back over midnight, dates come twice.
        let last = self.zone.date(within.end()) + day;
        let mut date = self.zone.date(within.start()) - day;
        let mut open = Vec::new();
        while date <= last {
            match (overridden.get(&date), &self.weekly) {
                (Some(windows), _) => {
                    open.extend(windows.iter().filter_map(|one| one.on(date, self.zone)));
                }
                (None, Some(weekly)) => {
                    let today = weekly.iter().filter(|one| one.day == date.weekday());
                    open.extend(today.filter_map(|one| one.window.on(date, self.zone)));
                }
                (None, None) => open.extend(self.zone.days(date, date + day)),
            }
            date += day;
        }
        let closed = Spans::of(self.blackouts.iter().copied());
        let open = Spans::of(open).intersect(&Spans::of([within]));
        open.minus(&closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn at(zone: Zone, text: &str) -> Timestamp {
        zone.first_from(text.parse().unwrap())
    }

    fn window(from: &str, to: &str) -> Window {
        Window::new(
            TimeOfDay::parse(from).unwrap(),
            TimeOfDay::parse(to).unwrap(),
        )
        .unwrap()
    }

    fn shown(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
        let zone = schedule.zone;
        let within = Interval::new(at(zone, from), at(zone, to)).unwrap();
        let open = schedule.open(within);
        open.iter()
            .map(|span| format!("{} {}", zone.show(span.start()), zone.show(span.end())))
            .collect()
    }

    fn sundays() -> Schedule {
        let night = |from, to| WeeklyWindow {
            day: Weekday::Sun,
            window: window(from, to),
        };
        Schedule {
            zone: Zone::named("Europe/Berlin").unwrap(),
            weekly: Some(vec![night("01:00", "02:30"), night("22:00", "24:00")]),
            ..Schedule::default()
        }
    }

    #[test]
    fn windows_lose_what_is_skipped_and_keep_what_comes_twice() {
        assert_eq!(
            shown(&sundays(), "2031-03-30T00:00:00", "2031-03-31T00:00:00"),
            [
                "2031-03-30T01:00:00+01:00 2031-03-30T03:00:00+02:00",
                "2031-03-30T22:00:00+02:00 2031-03-31T00:00:00+02:00",
            ]
        );
        assert_eq!(
            shown(&sundays(), "2031-10-26T00:00:00", "2031-10-26T12:00:00"),
            ["2031-10-26T01:00:00+02:00 2031-10-26T02:30:00+01:00"]
        );
    }

    #[test]
    fn dates_override_and_blackouts_close() {
        let mut schedule = sundays();
        let date = |day| NaiveDate::from_ymd_opt(2031, 6, day).unwrap();
        // The 1st, 8th and 15th are Sundays, the 2nd is not.
        schedule.overrides = vec![
            DateOverride {
                date: date(1),
                windows: vec![],
            },
            DateOverride {
                date: date(2),
                windows: vec![window("09:00", "10:00")],
            },
        ];
        let night = |day| at(schedule.zone, &format!("2031-06-{day}T23:00:00"));
        schedule.blackouts = vec![Interval::new(night("08"), night("15")).unwrap()];
        assert_eq!(schedule.check(), Ok(()));
        assert_eq!(
            shown(&schedule, "2031-06-01T00:00:00", "2031-06-20T00:00:00"),
            [
                "2031-06-02T09:00:00+02:00 2031-06-02T10:00:00+02:00",
                "2031-06-08T01:00:00+02:00 2031-06-08T02:30:00+02:00",
                "2031-06-08T22:00:00+02:00 2031-06-08T23:00:00+02:00",
                "2031-06-15T23:00:00+02:00 2031-06-16T00:00:00+02:00",
            ]
        );
        schedule.weekly = None;
        schedule.blackouts.clear();
        assert_eq!(
            shown(&schedule, "2031-06-01T12:00:00", "2031-06-03T12:00:00"),
            [
                "2031-06-02T09:00:00+02:00 2031-06-02T10:00:00+02:00",
                "2031-06-03T00:00:00+02:00 2031-06-03T12:00:00+02:00",
            ]
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "", "9:00", "09:60", "24:01", "ab:cd", "+9:00", "09:00:00", "é",
        ] {
            assert_eq!(TimeOfDay::parse(bad), Err(MALFORMED), "{bad}");
        }
        let nine = TimeOfDay::parse("09:00").unwrap();
        assert_eq!(Window::new(nine, nine), Err(EMPTY));
        let mut schedule = sundays();
        let date = NaiveDate::from_ymd_opt(2031, 6, 1).unwrap();
        schedule.overrides = vec![
            DateOverride {
                date,
                windows: vec![]
            };
            2
        ];
        assert_eq!(schedule.check(), Err(TWICE));
        schedule.overrides = vec![DateOverride {
            date,
            windows: vec![window("00:00", "24:00"); 25],
        }];
        assert_eq!(schedule.check(), Err(TOO_LARGE));
    }

    #[test]
    fn it_is_kept_as_people_write_it() {
        let kept = serde_json::to_value(sundays()).unwrap();
        let first = serde_json::json!({ "day": "Sun", "from": "01:00", "to": "02:30" });
        assert_eq!(kept["weekly"][0], first);
        assert_eq!(kept["zone"], "Europe/Berlin");
        assert_eq!(serde_json::from_value::<Schedule>(kept).unwrap(), sundays());
    }
}
