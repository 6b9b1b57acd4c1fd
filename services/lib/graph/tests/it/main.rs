//! The client against small servers that misbehave in one way each: the peer is Microsoft's API, so it is played here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod failures;
mod pages;
mod recordings;
mod requests;
mod server;
mod tokens;
mod traces;
