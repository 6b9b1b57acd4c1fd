//! Times as they are on the wire.

use chrono::{DateTime, SecondsFormat};

/// `2031-01-01T10:00:00.000Z`.
pub fn rfc3339(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(String::new, |time| {
        time.to_rfc3339_opts(SecondsFormat::Millis, true)
    })
}

/// Milliseconds of an RFC 3339 time with its offset.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.timestamp_millis())
}

/// Milliseconds of an HTTP date: `Tue, 01 Jan 2030 00:00:00 GMT`.
pub fn parse_http_date(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some(time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_wire() {
        let ms = 1_900_000_000_123;
        assert_eq!(parse_rfc3339(&rfc3339(ms)), Some(ms));
        for same in [
            "2030-03-17T17:46:40.123000Z",
            "2030-03-17T18:46:40.123+01:00",
        ] {
            assert_eq!(parse_rfc3339(same), Some(ms), "{same}");
        }
        for wrong in ["", "2030-03-17", "2030-03-17T17:46:40", "tomorrow"] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
        let date = "Sun, 17 Mar 2030 17:46:40 GMT";
        assert_eq!(parse_http_date(date), Some(1_900_000_000_000));
        assert_eq!(parse_http_date("2030-03-17T17:46:40Z"), None);
    }
}
