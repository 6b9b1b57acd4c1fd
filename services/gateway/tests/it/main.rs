//! The gateway's own rules, over real HTTP and WebSocket, in front of a real scheduler and lobby manager.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api_keys;
mod bounds;
mod clock;
mod credentials;
mod pages;
mod schema;
mod sockets;
mod streams;
mod telling;
mod world;
