//! Times as clients see them: RFC 3339 in UTC.

use chrono::{DateTime, Utc};
use convene_domain::Timestamp;
use convene_kit::convert;
use prost_types::Timestamp as Wire;

/// From milliseconds since the Unix epoch; the epoch itself for what no calendar has.
pub fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// From the wire.
pub fn from_wire(time: Option<Wire>) -> Option<DateTime<Utc>> {
    time.map(|time| from_millis(convert::from_wire(time).as_millis()))
}

/// To the wire.
pub fn to_wire(time: DateTime<Utc>) -> Wire {
    convert::to_wire(Timestamp::from_millis(time.timestamp_millis()))
}
