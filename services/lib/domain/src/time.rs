//! Moments and intervals in whole milliseconds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment in business time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment moved by milliseconds, held at the ends of the range.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds; the bare number when chrono cannot show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(time) => write!(
                f,
                "{}",
                time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
            ),
            None => write!(f, "{} ms", self.0),
        }
    }
}

/// The half-open span [start, end); an end before its start cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// `None` unless `start < end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// First moment inside.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// First moment outside.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Length in milliseconds.
    pub const fn millis(&self) -> i64 {
        self.end.as_millis().saturating_sub(self.start.as_millis())
    }

    /// Widened by `before_ms` and `after_ms`, both taken as at least 0.
    pub fn widened(&self, before_ms: i64, after_ms: i64) -> Self {
        Self {
            start: self.start.plus_millis(-before_ms.max(0)),
            end: self.end.plus_millis(after_ms.max(0)),
        }
    }

    /// Whether the two share a moment.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}
