//! The spine over a real SQLite file, with one small machine of the domain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod feed;
mod jobs;
mod probe;
mod store;
mod world;
