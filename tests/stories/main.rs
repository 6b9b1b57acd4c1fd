//! Stories through the public API: one file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod capacity;
mod clock;
mod consent;
mod creation;
mod door;
mod faults;
mod isolation;
mod lobby;
mod subscription;
mod tenancy;
mod whole;

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
