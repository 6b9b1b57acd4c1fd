//! The harness of the stories: whole nodes with the real simulator, played through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod caller;
mod cast;
pub mod contracts;
pub mod faults;
pub mod prove;
mod provider;
pub mod schema;
mod set_up;
mod world;

pub use caller::Caller;
pub use cast::{Booked, Cast, Guest};
pub use provider::Provider;
pub use schema::Values;
pub use set_up::SetUp;
pub use world::{World, until};

/// The reason of a mutation's refusal, or `""` when it was done.
pub fn reason<'a>(data: &'a serde_json::Value, mutation: &str) -> &'a str {
    data[mutation]["refusal"]["reason"].as_str().unwrap_or("")
}

/// The reason of the first error of an answer, or `""`.
pub fn fault(answer: &serde_json::Value) -> &str {
    answer["errors"][0]["extensions"]["reason"]
        .as_str()
        .unwrap_or("")
}
