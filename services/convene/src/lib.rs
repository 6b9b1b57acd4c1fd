//! The one binary of Convene: configuration, command line, and the node that composes roles.

pub mod cli;
pub mod config;
pub mod node;
pub mod operations;

pub mod audit;
mod command;
mod demo;
pub mod doctor;
pub mod graphql;
pub mod logging;
pub mod roles;
mod simulator;

pub use node::Node;
