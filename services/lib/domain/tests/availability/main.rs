//! The judge of slots against a model that looks at every minute and knows no interval.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bounds;
mod naive;
mod slots;
mod transitions;

use convene_domain::{Interval, Timestamp};

/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(minutes * MINUTE)
}

fn interval(from: i64, to: i64) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}
