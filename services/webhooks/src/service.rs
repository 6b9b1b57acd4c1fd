//! What the role does: one method per command.

mod deliveries;
mod endpoints;
mod facts;
mod reseal;

use convene_kit::{Deps, keys::Sealer, outbound::Outbound};

pub use endpoints::{ENDPOINTS_MAX, EndpointView, NewEndpoint, Rotation, Update};
pub use facts::apply_facts;
pub use reseal::follow as reseal;

/// The role's commands over its store.
#[derive(Clone)]
pub struct Webhooks {
    deps: Deps,
    sealer: Sealer,
    outbound: Outbound,
}

impl Webhooks {
    pub fn new(deps: Deps, sealer: Sealer, outbound: Outbound) -> Self {
        Self {
            deps,
            sealer,
            outbound,
        }
    }
}
