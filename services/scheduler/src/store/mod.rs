//! The scheduler's tables. Rows stay private to this module's callers in the service.

pub mod booking;
pub mod guest;
pub mod host;
pub mod occupancy;
pub mod service;
