//! The simulator's own clock: wall time plus an offset that its control API moves. Nothing else here reads the wall.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Wall time plus an offset.
#[derive(Debug, Default)]
pub struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Milliseconds since the Unix epoch, moved.
    pub fn now_ms(&self) -> i64 {
        self.wall_ms().saturating_add(self.offset_ms())
    }

    /// Milliseconds since the Unix epoch, as everybody's wall clock shows them.
    pub fn wall_ms(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            })
    }

    /// The offset in force, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Sets the offset.
    pub fn set(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }
}

/// `2031-01-01T10:00:00Z`, or with fractions where there are some: how Graph writes a `DateTimeOffset`.
pub fn rfc3339(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).map_or_else(String::new, |time| {
        time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    })
}

/// `Tue, 01 Jan 2030 00:00:00 GMT`: the `Date` of an answer (RFC 9110, section 5.6.7).
pub fn http_date(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).map_or_else(String::new, |time| {
        time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    })
}
