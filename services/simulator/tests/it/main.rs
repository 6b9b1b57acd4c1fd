//! The simulator over HTTP, as a client of Graph meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calendar;
mod calls;
mod cloud;
mod entra;
mod faults;
