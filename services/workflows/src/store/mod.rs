//! What the role keeps.

pub mod booking;
pub mod definitions;
pub mod run;
pub mod workflow;
