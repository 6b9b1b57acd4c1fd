//! The host with plugins written in WebAssembly text: what they can do, what they cannot, and that it can be played again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cache;
mod capabilities;
mod contract;
mod hostile;
mod neighbours;
mod refused;
mod replay;
mod verdicts;
mod world;
