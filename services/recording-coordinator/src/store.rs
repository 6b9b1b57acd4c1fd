//! The coordinator's tables.

pub mod consent;
pub mod recording;
