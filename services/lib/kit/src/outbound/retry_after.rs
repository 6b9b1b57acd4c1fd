//! The `Retry-After` header: seconds, or a moment.

use std::time::Duration;

use chrono::DateTime;
use convene_domain::Timestamp;

/// The pause that is asked for; `None` for what is neither form, or for a moment that has passed.
pub fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis();
    let millis = u64::try_from(at.saturating_sub(now.as_millis())).ok()?;
    Some(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_moments_are_read() {
        let now = Timestamp::from_millis(784_111_777_000);
        let parse = |text| parse(text, now);
        assert_eq!(parse("120"), Some(Duration::from_secs(120)));
        let moment = parse("Sun, 06 Nov 1994 08:49:47 GMT");
        assert_eq!(moment, Some(Duration::from_secs(10)));
        for bad in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994 08:49:27 GMT",
            "99999999999",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
