//! The face over a port in memory, without a network: every request is signed as clients sign.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod desk;
mod doors;
mod once;
mod traces;
mod whatever;
