//! Graph's two ways of writing time: `DateTimeOffset` and `dateTimeTimeZone`.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use http::StatusCode;
use serde_json::{Value, json};

use super::error::Failure;
use crate::world::Members;

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

    /// The zone of an IANA name, or 400 `TimeZoneNotSupportedException`.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let zone = match name {
            "tzone://Microsoft/Utc" => Ok(Tz::UTC),
            _ => name.parse(),
        };
        let zone = zone.map_err(|_| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "TimeZoneNotSupportedException",
                format!("The time zone '{name}' is not known; the simulator knows IANA names such as Europe/Berlin, and UTC."),
            )
        })?;
        Ok(Self {
            name: name.to_owned(),
            zone,
        })
    }

    /// Milliseconds of a wall-clock time. What a change to summer time skips counts from before the gap; what comes twice is the first.
    fn millis(&self, local: NaiveDateTime) -> Option<i64> {
        let time = match self.zone.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time,
            LocalResult::None => {
                let day = TimeDelta::days(1);
                let before = local.checked_sub_signed(day)?;
                let before = self.zone.from_local_datetime(&before).earliest()?;
                before.checked_add_signed(day)?
            }
        };
        Some(time.timestamp_millis())
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
    let Some(value) = body.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
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
    zone.millis(local)
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
        assert_eq!(read("2031-07-01T14:00:00", "Nowhere/At_All"), None);
        assert_eq!(read("noon", "UTC"), None);
        let shown = Zone::named("America/New_York").unwrap().show(noon);
        assert_eq!(shown["dateTime"], "2031-07-01T08:00:00.0000000");
    }

    #[test]
    fn the_hour_that_summer_time_skips_or_repeats_has_an_answer() {
        let skipped = read("2031-03-30T02:30:00", "Europe/Berlin");
        assert_eq!(skipped, read("2031-03-30T03:30:00", "Europe/Berlin"));
        let repeated = read("2031-10-26T02:30:00", "Europe/Berlin");
        assert_eq!(repeated, read("2031-10-26T00:30:00", "UTC"));
    }
}
