//! Conversions that every wire edge needs.

use convene_domain::Timestamp;
use prost_types::Timestamp as Wire;

use crate::error::{Error, Result};

/// Business time on the wire.
pub fn to_wire(time: Timestamp) -> Wire {
    let millis = time.as_millis();
    Wire {
        seconds: millis.div_euclid(1_000),
        nanos: i32::try_from(millis.rem_euclid(1_000) * 1_000_000).unwrap_or(0),
    }
}

/// Business time from the wire, cut to milliseconds.
pub fn from_wire(time: Wire) -> Timestamp {
    let millis = time
        .seconds
        .saturating_mul(1_000)
        .saturating_add(i64::from(time.nanos) / 1_000_000);
    Timestamp::from_millis(millis)
}

/// A timestamp that must be there.
pub fn required_time(field: &'static str, time: Option<Wire>) -> Result<Timestamp> {
    time.map(from_wire)
        .ok_or_else(|| Error::invalid(field, "REQUIRED", format!("{field} is required")))
}

/// An id that must be there and well-formed.
pub fn id<T>(field: &'static str, text: &str) -> Result<T>
where
    T: std::str::FromStr<Err = convene_domain::MalformedId>,
{
    text.parse()
        .map_err(|malformed| Error::from(malformed).on_field(field))
}

/// A short text that must not be blank; trimmed.
pub fn text(field: &'static str, text: &str) -> Result<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Error::invalid(
            field,
            "REQUIRED",
            format!("{field} must not be empty"),
        ));
    }
    if trimmed.chars().count() > crate::limits::TEXT_CHARS_MAX {
        return Err(Error::invalid(
            field,
            "TOO_LONG",
            format!(
                "{field} may have at most {} characters",
                crate::limits::TEXT_CHARS_MAX
            ),
        ));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            "CONTROL_CHARACTER",
            format!("{field} must not hold control characters"),
        ));
    }
    Ok(trimmed.to_owned())
}
