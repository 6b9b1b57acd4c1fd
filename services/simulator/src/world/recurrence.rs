//! On which days a series happens (`patternedRecurrence` resource type). Pure: dates in, dates out.

use chrono::{Datelike as _, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// Days that one question looks through at the most; the tenth century of a daily series is nobody's need.
const PERIODS_MAX: u32 = 20_000;

/// Pattern and range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recurrence {
    /// Which days.
    pub pattern: Pattern,
    /// Every so many days, weeks, months or years.
    pub interval: u32,
    /// First day.
    pub start: NaiveDate,
    /// How long.
    pub range: Range,
    /// Name of the zone of the days; the event's own when `None`.
    pub zone: Option<String>,
}

/// `recurrencePattern`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pattern {
    /// Every day.
    Daily,
    /// These days of a week.
    Weekly {
        /// Which.
        days: Vec<Weekday>,
        /// Where weeks begin.
        first: Weekday,
    },
    /// A day of a month; of one month of the year when that is named.
    Absolute {
        /// 1 to 31; the last day of shorter months.
        day: u32,
        /// 1 to 12 for yearly series.
        month: Option<u32>,
    },
    /// The first, second, third, fourth or last of these weekdays in a month.
    Relative {
        /// Any of them counts.
        days: Vec<Weekday>,
        /// 0 to 3, 4 is the last.
        index: usize,
        /// 1 to 12 for yearly series.
        month: Option<u32>,
    },
}

/// `recurrenceRange`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Range {
    /// Up to and with this day.
    EndDate(NaiveDate),
    /// So many times.
    Numbered(u32),
    /// For ever.
    NoEnd,
}

impl Recurrence {
    /// Its days up to and with `last`, in order.
    pub fn days(&self, last: NaiveDate) -> Vec<NaiveDate> {
        let (last, most) = match self.range {
            Range::EndDate(end) => (last.min(end), usize::MAX),
            Range::Numbered(times) => (last, times as usize),
            Range::NoEnd => (last, usize::MAX),
        };
        let mut found = Vec::new();
        for period in 0..PERIODS_MAX {
            let Some((begin, mut days)) = self.period(period) else {
                break;
            };
            days.retain(|day| *day >= self.start && *day <= last);
            found.extend(days);
            if begin > last || found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        found
    }

    /// First day of the nth period, and the days of the series in it, in order.
    fn period(&self, number: u32) -> Option<(NaiveDate, Vec<NaiveDate>)> {
        let steps = number.checked_mul(self.interval)?;
        let month_at = |month: Option<u32>| {
            let start = match month {
                Some(month) => self.start.with_day(1)?.with_month(month)?,
                None => self.start.with_day(1)?,
            };
            let months = if month.is_some() { 12 } else { 1 };
            start.checked_add_months(Months::new(steps.checked_mul(months)?))
        };
        match &self.pattern {
            Pattern::Daily => {
                let day = self.start.checked_add_days(Days::new(steps.into()))?;
                Some((day, vec![day]))
            }
            Pattern::Weekly { days, first } => {
                let back = self.start.weekday().days_since(*first);
                let week = self.start.checked_sub_days(Days::new(back.into()))?;
                let week = week.checked_add_days(Days::new(u64::from(steps) * 7))?;
                let found = week.iter_days().take(7);
                Some((
                    week,
                    found.filter(|day| days.contains(&day.weekday())).collect(),
                ))
            }
            Pattern::Absolute { day, month } => {
                let begin = month_at(*month)?;
                let length = u32::from(begin.num_days_in_month());
                Some((begin, vec![begin.with_day((*day).min(length))?]))
            }
            Pattern::Relative { days, index, month } => {
                let begin = month_at(*month)?;
                let length = usize::from(begin.num_days_in_month());
                let fits = begin.iter_days().take(length);
                let fits: Vec<_> = fits.filter(|day| days.contains(&day.weekday())).collect();
                let day = match index {
                    4 => fits.last(),
                    index => fits.get(*index),
                };
                Some((begin, day.into_iter().copied().collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weekday::{Fri, Mon, Sun, Thu, Tue, Wed};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(pattern: Pattern, interval: u32, start: &str, range: Range) -> Vec<String> {
        let series = Recurrence {
            pattern,
            interval,
            start: day(start),
            range,
            zone: None,
        };
        let found = series.days(day("2032-12-31"));
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_other_day_until_a_day_that_counts() {
        let found = days(
            Pattern::Daily,
            2,
            "2031-02-27",
            Range::EndDate(day("2031-03-03")),
        );
        assert_eq!(found, ["2031-02-27", "2031-03-01", "2031-03-03"]);
    }

    #[test]
    fn weeks_are_counted_from_their_first_day() {
        let weekly = |first| Pattern::Weekly {
            days: vec![Tue, Sun],
            first,
        };
        // 2031-01-07 is a Tuesday: with weeks from Sunday, the Sunday after it belongs to the week that is left out.
        let found = days(weekly(Sun), 2, "2031-01-07", Range::Numbered(3));
        assert_eq!(found, ["2031-01-07", "2031-01-19", "2031-01-21"]);
        let found = days(weekly(Mon), 2, "2031-01-07", Range::Numbered(3));
        assert_eq!(found, ["2031-01-07", "2031-01-12", "2031-01-21"]);
    }

    #[test]
    fn the_31st_is_the_last_of_shorter_months() {
        let monthly = Pattern::Absolute {
            day: 31,
            month: None,
        };
        let found = days(monthly, 1, "2031-01-31", Range::Numbered(4));
        assert_eq!(
            found,
            ["2031-01-31", "2031-02-28", "2031-03-31", "2031-04-30"]
        );
        let leap = Pattern::Absolute {
            day: 29,
            month: Some(2),
        };
        let found = days(leap, 1, "2031-02-28", Range::Numbered(2));
        assert_eq!(found, ["2031-02-28", "2032-02-29"]);
    }

    #[test]
    fn the_nth_weekday_and_the_last() {
        let relative = |days: &[Weekday], index, month| Pattern::Relative {
            days: days.to_vec(),
            index,
            month,
        };
        let found = days(
            relative(&[Mon], 1, None),
            1,
            "2031-01-13",
            Range::Numbered(3),
        );
        assert_eq!(found, ["2031-01-13", "2031-02-10", "2031-03-10"]);
        let working = [Mon, Tue, Wed, Thu, Fri];
        let found = days(
            relative(&working, 4, None),
            1,
            "2031-01-31",
            Range::Numbered(3),
        );
        assert_eq!(found, ["2031-01-31", "2031-02-28", "2031-03-31"]);
        let found = days(
            relative(&[Thu], 3, Some(11)),
            1,
            "2031-11-27",
            Range::Numbered(2),
        );
        assert_eq!(found, ["2031-11-27", "2032-11-25"]);
    }

    #[test]
    fn a_series_without_end_ends_with_the_question() {
        let found = days(Pattern::Daily, 1, "2031-01-01", Range::NoEnd);
        assert_eq!(found.len(), 731);
        assert!(days(Pattern::Daily, 1, "2033-01-01", Range::NoEnd).is_empty());
    }
}
