//! Series as clients write and read them (`patternedRecurrence` resource type).

use chrono::{NaiveDate, Weekday};
use serde_json::{Value, json};

use crate::{
    graph::error::Failure,
    world::{Pattern, Range, Recurrence},
};

const DAYS: [(&str, Weekday); 7] = [
    ("sunday", Weekday::Sun),
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
];
const INDEXES: [&str; 5] = ["first", "second", "third", "fourth", "last"];
/// What Graph sends where there is no end.
const NO_DATE: &str = "0001-01-01";
/// Times of a numbered series, and its interval.
const NUMBER_MAX: u64 = 999;

/// Members that each type needs beside its interval; others must be left out, or as Graph itself sends them.
const NEEDED: [(&str, &[&str]); 6] = [
    ("daily", &[]),
    ("weekly", &["daysOfWeek", "firstDayOfWeek"]),
    ("absoluteMonthly", &["dayOfMonth"]),
    ("relativeMonthly", &["daysOfWeek", "index"]),
    ("absoluteYearly", &["dayOfMonth", "month"]),
    ("relativeYearly", &["daysOfWeek", "index", "month"]),
];

fn wrong(what: &str) -> Failure {
    Failure::invalid(format!("recurrence.{what}"))
}

/// A series whose first day is `first`.
pub fn read(value: &Value, first: NaiveDate) -> Result<Recurrence, Failure> {
    let (pattern, range) = (&value["pattern"], &value["range"]);
    let kind = pattern["type"].as_str().unwrap_or_default();
    let (_, needed) = NEEDED
        .into_iter()
        .find(|(name, _)| *name == kind)
        .ok_or_else(|| wrong("pattern.type is not a type of pattern."))?;
    for name in ["daysOfWeek", "dayOfMonth", "month", "index"] {
        if !needed.contains(&name) && !is_empty(name, &pattern[name]) {
            return Err(wrong(&format!(
                "pattern.{name} does not fit the type {kind}."
            )));
        }
    }
    let interval = number(&pattern["interval"], 1, NUMBER_MAX)
        .ok_or_else(|| wrong("pattern.interval is a number from 1 to 999."))?;
    Ok(Recurrence {
        pattern: read_pattern(pattern, kind)?,
        interval,
        start: first,
        range: read_range(range, first)?,
        zone: range["recurrenceTimeZone"].as_str().map(str::to_owned),
    })
}

/// As Graph sends what a type does not have; clients send it back.
fn is_empty(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => name == "index" && text == "first",
        _ => false,
    }
}

fn number(value: &Value, min: u64, max: u64) -> Option<u32> {
    let number = value.as_u64()?;
    (min..=max)
        .contains(&number)
        .then_some(number)?
        .try_into()
        .ok()
}

fn weekday(value: &Value) -> Option<Weekday> {
    let name = value.as_str()?;
    let mut days = DAYS.into_iter();
    days.find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, day)| day)
}

fn read_pattern(pattern: &Value, kind: &str) -> Result<Pattern, Failure> {
    let days = || {
        let given = pattern["daysOfWeek"].as_array();
        let days: Option<Vec<_>> = given.into_iter().flatten().map(weekday).collect();
        days.filter(|days| !days.is_empty())
            .ok_or_else(|| wrong("pattern.daysOfWeek names at least one day of the week."))
    };
    let day = || {
        number(&pattern["dayOfMonth"], 1, 31)
            .ok_or_else(|| wrong("pattern.dayOfMonth is a number from 1 to 31."))
    };
    let month = || match kind.ends_with("Yearly") {
        false => Ok(None),
        true => number(&pattern["month"], 1, 12)
            .map(Some)
            .ok_or_else(|| wrong("pattern.month is a number from 1 to 12.")),
    };
    Ok(match kind {
        "daily" => Pattern::Daily,
        "weekly" => Pattern::Weekly {
            days: days()?,
            first: match &pattern["firstDayOfWeek"] {
                Value::Null => Weekday::Sun,
                day => weekday(day)
                    .ok_or_else(|| wrong("pattern.firstDayOfWeek is a day of the week."))?,
            },
        },
        "absoluteMonthly" | "absoluteYearly" => Pattern::Absolute {
            day: day()?,
            month: month()?,
        },
        _ => {
            let index = pattern["index"].as_str().unwrap_or("first");
            Pattern::Relative {
                days: days()?,
                index: INDEXES
                    .into_iter()
                    .position(|known| known.eq_ignore_ascii_case(index))
                    .ok_or_else(|| {
                        wrong("pattern.index is first, second, third, fourth or last.")
                    })?,
                month: month()?,
            }
        }
    })
}

fn read_range(range: &Value, first: NaiveDate) -> Result<Range, Failure> {
    let date = |name: &str| range[name].as_str()?.parse::<NaiveDate>().ok();
    if date("startDate") != Some(first) {
        return Err(wrong(
            "range.startDate is not the day of the event's start.",
        ));
    }
    match range["type"].as_str().unwrap_or_default() {
        "endDate" => match date("endDate") {
            Some(end) if end >= first => Ok(Range::EndDate(end)),
            _ => Err(wrong("range.endDate is a day not before startDate.")),
        },
        "numbered" => number(&range["numberOfOccurrences"], 1, NUMBER_MAX)
            .map(Range::Numbered)
            .ok_or_else(|| wrong("range.numberOfOccurrences is a number from 1 to 999.")),
        "noEnd" => Ok(Range::NoEnd),
        _ => Err(wrong("range.type is endDate, numbered or noEnd.")),
    }
}

/// With every member, as Graph sends it.
pub fn show(series: &Recurrence, zone: &str) -> Value {
    let name = |wanted: &Weekday| {
        let mut days = DAYS.iter();
        days.find(|(_, day)| day == wanted).map(|(name, _)| *name)
    };
    let names = |days: &[Weekday]| days.iter().map(name).collect::<Vec<_>>();
    let mut pattern = json!({
        "type": "daily",
        "interval": series.interval,
        "month": 0,
        "dayOfMonth": 0,
        "daysOfWeek": [],
        "firstDayOfWeek": "sunday",
        "index": "first",
    });
    let yearly = |month: &Option<u32>| if month.is_some() { "Yearly" } else { "Monthly" };
    match &series.pattern {
        Pattern::Daily => {}
        Pattern::Weekly { days, first } => {
            pattern["type"] = "weekly".into();
            pattern["daysOfWeek"] = names(days).into();
            pattern["firstDayOfWeek"] = name(first).into();
        }
        Pattern::Absolute { day, month } => {
            pattern["type"] = format!("absolute{}", yearly(month)).into();
            pattern["dayOfMonth"] = (*day).into();
            pattern["month"] = month.unwrap_or(0).into();
        }
        Pattern::Relative { days, index, month } => {
            pattern["type"] = format!("relative{}", yearly(month)).into();
            pattern["daysOfWeek"] = names(days).into();
            pattern["index"] = INDEXES.get(*index).copied().into();
            pattern["month"] = month.unwrap_or(0).into();
        }
    }
    let (kind, end, times) = match &series.range {
        Range::EndDate(end) => ("endDate", end.to_string(), 0),
        Range::Numbered(times) => ("numbered", NO_DATE.to_owned(), *times),
        Range::NoEnd => ("noEnd", NO_DATE.to_owned(), 0),
    };
    let range = json!({
        "type": kind,
        "startDate": series.start.to_string(),
        "endDate": end,
        "numberOfOccurrences": times,
        "recurrenceTimeZone": series.zone.as_deref().unwrap_or(zone),
    });
    json!({"pattern": pattern, "range": range})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> NaiveDate {
        "2031-01-06".parse().unwrap()
    }

    fn whole(pattern: Value, range: Value) -> Value {
        let mut range = range;
        range["startDate"] = range
            .get("startDate")
            .cloned()
            .unwrap_or("2031-01-06".into());
        json!({"pattern": pattern, "range": range})
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let no_end = || json!({"type": "noEnd"});
        for (pattern, range) in [
            (json!({"type": "daily", "interval": 1}), no_end()),
            (
                json!({"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "Friday"], "firstDayOfWeek": "monday"}),
                json!({"type": "numbered", "numberOfOccurrences": 4}),
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 6}),
                json!({"type": "endDate", "endDate": "2031-06-06"}),
            ),
            (
                json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"], "index": "last", "month": 1}),
                no_end(),
            ),
        ] {
            let series = read(&whole(pattern, range), first()).unwrap();
            let shown = show(&series, "UTC");
            let mut again = read(&shown, first()).unwrap();
            again.zone = None;
            assert_eq!(again, series, "{shown}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let daily = || json!({"type": "daily", "interval": 1});
        let no_end = || json!({"type": "noEnd"});
        for (pattern, range, name) in [
            (json!({"type": "hourly", "interval": 1}), no_end(), "type"),
            (
                json!({"type": "daily", "interval": 0}),
                no_end(),
                "interval",
            ),
            (
                json!({"type": "daily", "interval": 1, "month": 3}),
                no_end(),
                "month",
            ),
            (
                json!({"type": "weekly", "interval": 1}),
                no_end(),
                "daysOfWeek",
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 32}),
                no_end(),
                "dayOfMonth",
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 3}),
                no_end(),
                "month",
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"], "index": "fifth"}),
                no_end(),
                "index",
            ),
            (
                daily(),
                json!({"type": "noEnd", "startDate": "2031-01-07"}),
                "startDate",
            ),
            (
                daily(),
                json!({"type": "endDate", "endDate": "2031-01-05"}),
                "endDate",
            ),
            (daily(), json!({"type": "numbered"}), "numberOfOccurrences"),
            (daily(), json!({"type": "sometimes"}), "range.type"),
        ] {
            let refused = read(&whole(pattern, range), first()).unwrap_err();
            assert!(format!("{refused:?}").contains(name), "{refused:?}");
        }
    }
}
