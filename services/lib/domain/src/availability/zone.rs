//! Time zones: what a clock on the wall shows, and when it shows it.
//!
//! A wall clock skips times (a gap, when summer begins) and repeats others (a fold, when it ends). Each function here names what it does then.

use std::fmt;

use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use windows_timezones::WindowsTimezone;

use crate::{Interval, Refused, Timestamp};

/// A time zone of the IANA database. Serialised by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

/// What a wall-clock time means that the clock skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// As much later as the clock jumps: 02:30 becomes 03:30.
    Shift,
    /// Nothing: there is no such moment.
    Skip,
}

/// What a wall-clock time means that the clock shows twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The first time.
    First,
    /// The second time.
    Second,
}

const UNKNOWN: Refused = Refused::new(
    "ZONE_UNKNOWN",
    "no such time zone; name one of the IANA database, for example Europe/Berlin, or a Windows one, for example W. Europe Standard Time",
);

/// No zone has a longer name, in bytes.
const NAME_BYTES_MAX: usize = 64;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of an IANA name, or of a Windows name by the table of the Unicode CLDR; `ZONE_UNKNOWN` for every other text.
    pub fn named(name: &str) -> Result<Self, Refused> {
        if name.len() > NAME_BYTES_MAX {
            return Err(UNKNOWN);
        }
        if name == "tzone://Microsoft/Utc" {
            return Ok(Self::UTC);
        }
        let windows = || name.parse::<WindowsTimezone>().ok()?.tzdb_id().parse().ok();
        let zone = name.parse().ok().or_else(windows);
        zone.map(Self).ok_or(UNKNOWN)
    }

    /// All zones of the database, links included.
    pub fn all() -> impl Iterator<Item = Self> {
        chrono_tz::TZ_VARIANTS.iter().copied().map(Self)
    }

    /// IANA name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// What the wall clock shows.
    pub fn local(&self, at: Timestamp) -> NaiveDateTime {
        self.at(at).naive_local()
    }

    /// The date on the wall.
    pub fn date(&self, at: Timestamp) -> NaiveDate {
        self.local(at).date()
    }

    /// RFC 3339 with the zone's offset, for people.
    pub fn show(&self, at: Timestamp) -> String {
        self.at(at).to_rfc3339()
    }

    /// The first moment at which the clock shows `local` or later: behind a gap, and the first of a fold.
    pub fn first_from(&self, local: NaiveDateTime) -> Timestamp {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => millis(&at),
            LocalResult::None => self.behind_gap(local),
        }
    }

    /// The moment behind the last one at which the clock shows less than `local`: behind a gap, and at the end of the second of a fold.
    pub fn last_until(&self, local: NaiveDateTime) -> Timestamp {
        let instant = TimeDelta::milliseconds(1);
        let before = local.checked_sub_signed(instant).unwrap_or(local);
        match self.0.from_local_datetime(&before) {
            LocalResult::Single(at) | LocalResult::Ambiguous(_, at) => millis(&at).plus_millis(1),
            LocalResult::None => self.behind_gap(before),
        }
    }

    /// The moment of a wall-clock time by named policies.
    pub fn moment(&self, local: NaiveDateTime, gap: Gap, fold: Fold) -> Option<Timestamp> {
        match (self.0.from_local_datetime(&local), fold) {
            (LocalResult::Single(at), _) => Some(millis(&at)),
            (LocalResult::Ambiguous(at, _), Fold::First) => Some(millis(&at)),
            (LocalResult::Ambiguous(_, at), Fold::Second) => Some(millis(&at)),
            (LocalResult::None, _) => match gap {
                Gap::Skip => None,
                Gap::Shift => {
                    let (begin, offset) = GapInfo::new(&local, &self.0)?.begin?;
                    let from = offset.fix().from_local_datetime(&begin).single()?;
                    Some(millis(&from.checked_add_signed(local - begin)?))
                }
            },
        }
    }

    /// Every moment at which the clock shows exactly this: none, one or two, the earlier one first.
    pub fn moments(&self, local: NaiveDateTime) -> impl Iterator<Item = Timestamp> {
        let (first, second) = match self.0.from_local_datetime(&local) {
            LocalResult::None => (None, None),
            LocalResult::Single(at) => (Some(at), None),
            LocalResult::Ambiguous(first, second) => (Some(first), Some(second)),
        };
        [first, second].into_iter().flatten().map(|at| millis(&at))
    }

    /// The dates from one to the one before another as a span of time; `None` when the clock skipped them all.
    pub fn days(&self, from: NaiveDate, until: NaiveDate) -> Option<Interval> {
        let midnight = |date: NaiveDate| date.and_time(chrono::NaiveTime::MIN);
        Interval::new(
            self.first_from(midnight(from)),
            self.last_until(midnight(until)),
        )
    }

    fn at(&self, at: Timestamp) -> DateTime<Tz> {
        utc(at).with_timezone(&self.0)
    }

    fn behind_gap(&self, local: NaiveDateTime) -> Timestamp {
        let end = GapInfo::new(&local, &self.0).and_then(|gap| gap.end);
        // A gap without an end is beyond what the database tells.
        end.map_or_else(
            || Timestamp::from_millis(local.and_utc().timestamp_millis()),
            |end| millis(&end),
        )
    }
}

/// Moments that calendars here can show: the years 1 to 9999, in milliseconds.
const CALENDAR_MS: (i64, i64) = (-62_135_510_400_000, 253_402_214_400_000);

fn utc(at: Timestamp) -> DateTime<Utc> {
    let millis = at.as_millis().clamp(CALENDAR_MS.0, CALENDAR_MS.1);
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn millis<Z: chrono::TimeZone>(at: &DateTime<Z>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn both_namings_are_known() {
        let noon = berlin("2031-07-01T12:00:00");
        for (name, zone) in [
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("Pacific Standard Time", "America/Los_Angeles"),
            ("India Standard Time", "Asia/Kolkata"),
            ("tzone://Microsoft/Utc", "UTC"),
        ] {
            // The CLDR says Asia/Calcutta still: the same clock.
            let (found, zone) = (Zone::named(name).unwrap(), Zone::named(zone).unwrap());
            assert_eq!(found.first_from(noon), zone.first_from(noon), "{name}");
        }
        for unknown in [
            "",
            "Middle Earth Time",
            "europe berlin",
            &"x".repeat(100_000),
        ] {
            assert_eq!(Zone::named(unknown), Err(UNKNOWN));
        }
    }

    #[test]
    fn gaps_and_folds_have_names() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let show = |at: Option<Timestamp>| at.map(|at| zone.show(at));
        // 2031-03-30: 02:00 to 03:00 is skipped. 2031-10-26: 02:00 to 03:00 comes twice.
        let skipped = berlin("2031-03-30T02:30:00");
        let shifted = zone.moment(skipped, Gap::Shift, Fold::First);
        assert_eq!(show(shifted).unwrap(), "2031-03-30T03:30:00+02:00");
        assert_eq!(zone.moment(skipped, Gap::Skip, Fold::First), None);
        assert_eq!(
            zone.show(zone.first_from(skipped)),
            "2031-03-30T03:00:00+02:00"
        );
        assert_eq!(zone.last_until(skipped), zone.first_from(skipped));
        assert_eq!(zone.moments(skipped).count(), 0);
        let twice = berlin("2031-10-26T02:30:00");
        let first = zone.moment(twice, Gap::Skip, Fold::First);
        let second = zone.moment(twice, Gap::Skip, Fold::Second);
        assert_eq!(show(first).unwrap(), "2031-10-26T02:30:00+02:00");
        assert_eq!(show(second).unwrap(), "2031-10-26T02:30:00+01:00");
        assert_eq!(
            zone.moments(twice).collect::<Vec<_>>(),
            [first.unwrap(), second.unwrap()]
        );
        assert_eq!(zone.first_from(twice), first.unwrap());
        assert_eq!(zone.last_until(twice), second.unwrap());
        // Nothing before two o'clock comes twice.
        let two = berlin("2031-10-26T02:00:00");
        assert_eq!(zone.last_until(two), zone.first_from(two));
    }

    #[test]
    fn a_day_that_a_clock_skips_has_no_time() {
        let apia = Zone::named("Pacific/Apia").unwrap();
        let date = |day| NaiveDate::from_ymd_opt(2011, 12, day).unwrap();
        assert_eq!(apia.days(date(30), date(31)), None);
        assert_eq!(apia.days(date(29), date(30)).unwrap().millis(), 86_400_000);
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let october = |day| NaiveDate::from_ymd_opt(2031, 10, day).unwrap();
        let long = berlin.days(october(26), october(27)).unwrap();
        assert_eq!(long.millis(), 25 * 3_600_000);
    }
}
