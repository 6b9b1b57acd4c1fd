//! Time zones by either naming, and wall-clock times in them.

use chrono::{LocalResult, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use windows_timezones::WindowsTimezone;

/// The zone of an IANA or a Windows name (Unicode CLDR maps the latter).
pub fn named(name: &str) -> Option<Tz> {
    if name == "tzone://Microsoft/Utc" {
        return Some(Tz::UTC);
    }
    let windows = || name.parse::<WindowsTimezone>().ok()?.tzdb_id().parse().ok();
    name.parse().ok().or_else(windows)
}

/// Milliseconds of a wall-clock time. What a change to summer time skips counts from before the gap; what comes twice is the first.
pub fn millis(zone: Tz, local: NaiveDateTime) -> Option<i64> {
    let time = match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time,
        LocalResult::None => {
            let day = TimeDelta::days(1);
            let before = local.checked_sub_signed(day)?;
            let before = zone.from_local_datetime(&before).earliest()?;
            before.checked_add_signed(day)?
        }
    };
    Some(time.timestamp_millis())
}

/// The wall-clock time at a moment.
pub fn local(zone: Tz, ms: i64) -> Option<NaiveDateTime> {
    let time = chrono::DateTime::from_timestamp_millis(ms)?;
    Some(time.with_timezone(&zone).naive_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_namings_are_known() {
        for (name, zone) in [
            ("Europe/Berlin", Tz::Europe__Berlin),
            ("W. Europe Standard Time", Tz::Europe__Berlin),
            ("Pacific Standard Time", Tz::America__Los_Angeles),
            ("India Standard Time", Tz::Asia__Kolkata),
            ("UTC", Tz::UTC),
            ("tzone://Microsoft/Utc", Tz::UTC),
        ] {
            let found = named(name).unwrap();
            // CLDR still says Asia/Calcutta.
            let noon = chrono::NaiveDate::from_ymd_opt(2031, 7, 1).unwrap();
            let noon = noon.and_hms_opt(12, 0, 0).unwrap();
            assert_eq!(millis(found, noon), millis(zone, noon), "{name}");
        }
        assert_eq!(named("Middle Earth Time"), None);
    }
}
