//! Plugins: modules, where they are bound, what they keep, and their calls.

pub mod binding;
pub mod call;
pub mod module;
pub mod value;
