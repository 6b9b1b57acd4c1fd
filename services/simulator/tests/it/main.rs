//! The simulator over real HTTP, as any client meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod acs;
mod automation;
mod batch;
mod calls;
mod control;
mod conventions;
mod desk;
mod events;
mod faults;
mod garbage;
mod https;
mod meetings;
mod people;
mod recordings;
mod series;
mod state;
mod throttling;
mod token;
