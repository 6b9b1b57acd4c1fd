//! Graph's two ways of writing time: `DateTimeOffset` and `dateTimeTimeZone`.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use http::StatusCode;
use serde_json::{Value, json};

use super::error::Failure;
use crate::{world::Members, zone};

/// A time zone by the name that the client used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The name.
    pub name: String,
    zone: Tz,
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: Tz::UTC,
        }
    }

    /// The zone of an IANA or Windows name, or 400 `TimeZoneNotSupportedException`.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let zone = zone::named(name).ok_or_else(|| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "TimeZoneNotSupportedException",
                format!("The time zone '{name}' is not known; known are Windows names such as 'W. Europe Standard Time' and IANA names such as Europe/Berlin."),
            )
        })?;
        Ok(Self {
            name: name.to_owned(),
            zone,
        })
    }

    /// The day of a moment.
    pub fn day(&self, ms: i64) -> Option<NaiveDate> {
        Some(zone::local(self.zone, ms)?.date())
    }

    /// `{dateTime "2031-01-01T10:00:00.0000000", timeZone}`.
    pub fn show(&self, ms: i64) -> Value {
        let text = DateTime::from_timestamp_millis(ms).map(|time| {
            let local = time.with_timezone(&self.zone);
            let tenths_of_micros = local.timestamp_subsec_millis() * 10_000;
            format!(
                "{}.{tenths_of_micros:07}",
                local.format("%Y-%m-%dT%H:%M:%S")
            )
        });
        json!({"dateTime": text, "timeZone": self.name})
    }
}

/// A point in time with the zone name that it was given in.
pub type Given = (i64, String);

/// A `dateTimeTimeZone` member.
pub fn date_time_time_zone(body: &Members, name: &str) -> Result<Option<Given>, Failure> {
    read_date_time_time_zone(body.get(name).unwrap_or(&Value::Null), name)
}

/// The same of a value that stands elsewhere.
pub fn read_date_time_time_zone(value: &Value, name: &str) -> Result<Option<Given>, Failure> {
    if value.is_null() {
        return Ok(None);
    }
    let part = |part: &str| value.get(part).and_then(Value::as_str);
    let zone = match part("timeZone") {
        Some(zone) => Zone::named(zone)?,
        None => Zone::utc(),
    };
    let time = part("dateTime").and_then(|text| date_time(text, &zone));
    let ms = time.ok_or_else(|| {
        Failure::invalid(format!(
            "{name}.dateTime is not a date and time such as 2031-01-01T10:00:00."
        ))
    })?;
    Ok(Some((ms, zone.name)))
}

fn date_time(text: &str, zone: &Zone) -> Option<i64> {
    // An offset of its own beats the zone.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .ok()?;
    zone::millis(zone.zone, local)
}

/// A moment of a query: with an offset, or in UTC.
pub fn moment(text: &str) -> Option<i64> {
    let day = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    date_time(text, &Zone::utc()).or_else(|| zone::millis(chrono_tz::UTC, day()?))
}

/// A duration such as `PT1H30M`, in milliseconds. `0:30:00` is what the Python client writes.
pub fn duration(text: &str) -> Option<i64> {
    if let Some((hours, rest)) = text.split_once(':') {
        let (minutes, seconds) = rest.split_once(':')?;
        let number = |part: &str| part.parse::<i64>().ok().filter(|n| (0..1_000).contains(n));
        return Some(((number(hours)? * 60 + number(minutes)?) * 60 + number(seconds)?) * 1_000);
    }
    let (mut total, mut number, mut in_time) = (0_i64, String::new(), false);
    for letter in text.strip_prefix('P')?.chars() {
        if letter == 'T' {
            in_time = true;
        } else if letter.is_ascii_digit() && number.len() < 6 {
            number.push(letter);
        } else {
            let unit_s = match (letter, in_time) {
                ('D', false) => 86_400,
                ('H', true) => 3_600,
                ('M', true) => 60,
                ('S', true) => 1,
                _ => return None,
            };
            total += number.parse::<i64>().ok()? * unit_s * 1_000;
            number.clear();
        }
    }
    number.is_empty().then_some(total)
}

/// A `DateTimeOffset` member, in milliseconds.
pub fn date_time_offset(body: &Members, name: &str) -> Result<Option<i64>, Failure> {
    let Some(value) = body.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    DateTime::parse_from_rfc3339(text)
        .map(|time| Some(time.timestamp_millis()))
        .map_err(|_| {
            Failure::bad(format!(
                "{name} is not a DateTimeOffset such as 2031-01-01T10:00:00Z."
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(date_time: &str, zone: &str) -> Option<i64> {
        let body = json!({"start": {"dateTime": date_time, "timeZone": zone}});
        let body = body.as_object().unwrap();
        date_time_time_zone(body, "start").ok()?.map(|(ms, _)| ms)
    }

    #[test]
    fn zones_are_counted_in() {
        let noon = read("2031-07-01T12:00:00", "UTC").unwrap();
        assert_eq!(
            read("2031-07-01T14:00:00.0000000", "Europe/Berlin"),
            Some(noon)
        );
        assert_eq!(read("2031-07-01T12:00:00Z", "Europe/Berlin"), Some(noon));
        let windows = read("2031-07-01T14:00:00", "W. Europe Standard Time");
        assert_eq!(windows, Some(noon));
        assert_eq!(read("2031-07-01T14:00:00", "Nowhere/At_All"), None);
        assert_eq!(read("noon", "UTC"), None);
        let shown = Zone::named("America/New_York").unwrap().show(noon);
        assert_eq!(shown["dateTime"], "2031-07-01T08:00:00.0000000");
    }

    #[test]
    fn durations_and_moments() {
        for (text, minutes) in [
            ("PT30M", 30),
            ("PT1H30M", 90),
            ("P1DT1H", 1_500),
            ("0:30:00", 30),
        ] {
            assert_eq!(duration(text), Some(minutes * 60_000), "{text}");
        }
        for text in [
            "",
            "P",
            "30",
            "P1H",
            "PT",
            "PTM",
            "PT1X",
            "1:2",
            "PT9999999H",
        ] {
            assert!(duration(text).is_none_or(|ms| ms == 0), "{text}");
        }
        let noon = moment("2031-01-06T12:00:00").unwrap();
        assert_eq!(moment("2031-01-06T14:00:00+02:00"), Some(noon));
        assert_eq!(moment("2031-01-06"), Some(noon - 12 * 3_600_000));
        assert_eq!(moment("noon"), None);
    }

    #[test]
    fn the_hour_that_summer_time_skips_or_repeats_has_an_answer() {
        let skipped = read("2031-03-30T02:30:00", "Europe/Berlin");
        assert_eq!(skipped, read("2031-03-30T03:30:00", "Europe/Berlin"));
        let repeated = read("2031-10-26T02:30:00", "Europe/Berlin");
        assert_eq!(repeated, read("2031-10-26T00:30:00", "UTC"));
    }
}
