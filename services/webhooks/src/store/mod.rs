//! Rows of the webhooks role.

pub mod delivery;
pub mod endpoint;
pub mod secret;
