//! The real role over its own pipe, against the real simulator over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod capture;
mod creation;
mod door;
mod edge;
mod health;
mod history;
mod provider;
mod world;
