//! The one binary of Convene: configuration, command line, and the node that composes roles.

pub mod cli;
pub mod config;
pub mod node;

mod audit;
mod command;
mod demo;
mod graphql;
mod logging;
mod simulator;

pub use node::Node;
