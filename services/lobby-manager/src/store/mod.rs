//! The lobby manager's tables.

pub mod lobby;
pub mod permit;
pub mod plugin;
pub mod ticket;
pub mod visit;
