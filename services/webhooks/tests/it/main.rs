//! The role between real services and a real receiver.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the lints see test functions only, not what they call

mod answers;
mod deliveries;
mod endpoints;
mod order;
mod receiver;
mod restart;
mod world;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
