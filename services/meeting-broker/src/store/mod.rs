//! The broker's tables.

pub mod join_details;
pub mod meeting;
