//! The role between real services, a real SMTP server and a real HTTP server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the lints see test functions only, not what they call

mod catalogue;
mod crash;
mod mail;
mod requests;
mod runs;
mod world;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
