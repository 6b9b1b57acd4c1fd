//! Runs customers' plugins: WebAssembly components of the contract in `plugins/wit`, in a sandbox, replayable. The only crate that depends on a
//! WebAssembly runtime.
//!
//! ```text
//! bytes ── check ── compile or cache ── link ── Plugin
//! Plugin + Context + Input + Grants + Limits + Ports ── fresh instance ── verdict or Fault, and a Record
//! Plugin + Record ── replay ── what differs
//! ```
//!
//! A call is a function of its record: it is told the time and random bits, the capabilities' answers are written down, and nothing else goes in.

mod bindings;
mod cache;
pub mod capability;
mod check;
mod engine;
mod grants;
pub mod hook;
mod host;
mod limits;
mod plugin;
mod reason;
mod record;
mod refusal;
mod session;
mod state;

pub use grants::Grants;
pub use host::{Call, Done, Host, Replay, Settings, Unable};
pub use limits::{Bounds, Capacity, Limits};
pub use plugin::Plugin;
pub use reason::{Fault, Reason};
pub use record::{Context, HostCall, Outcome, Record};
pub use refusal::Refusal;

/// The newest version of the contract that is served.
pub const CONTRACT: &str = "0.1.0";
/// The runtime: what it costs in fuel is comparable within one.
pub const RUNTIME: &str = "wasmtime-48";

/// SHA-256 in hex: what a module is known by.
pub fn digest(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
