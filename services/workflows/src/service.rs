//! What the role does: one method per command.

mod catalogue;
mod facts;
mod replay;
mod runs;

use convene_domain::Timestamp;
use convene_kit::Deps;

use crate::store::definitions::Definitions;

pub use catalogue::Activation;
pub use facts::apply_facts;
pub use replay::Difference;
pub use runs::{Signal, Start};

/// The role's commands over its store.
#[derive(Clone)]
pub struct Workflows {
    deps: Deps,
    definitions: Definitions,
}

impl Workflows {
    pub fn new(deps: Deps, definitions: Definitions) -> Self {
        Self { deps, definitions }
    }

    /// Business time.
    pub fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }
}
