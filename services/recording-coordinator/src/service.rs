//! What the coordinator does: one method per command.

mod consent;
mod facts;
mod recording;

use convene_domain::{TenantId, meeting::SegmentId};
use convene_kit::{Caller, Deps, KeyScope, Result, Scope};

pub use consent::GiveConsent;
pub use facts::apply_meeting_facts;
pub use recording::RECORDINGS_MAX;

use crate::{artefacts::Artefacts, peers::Broker};

/// The coordinator's commands over its store.
#[derive(Clone)]
pub struct Coordinator {
    deps: Deps,
    broker: Broker,
    artefacts: Artefacts,
}

/// A stored artefact that may be read now.
#[derive(Debug)]
pub struct Opened {
    pub tenant: TenantId,
    pub segment: SegmentId,
    pub artefact: convene_domain::recording::Artefact,
}

impl Coordinator {
    pub fn new(deps: Deps, broker: Broker, artefacts: Artefacts) -> Self {
        Self {
            deps,
            broker,
            artefacts,
        }
    }

    /// Where opened artefacts are read from.
    pub fn artefacts(&self) -> &Artefacts {
        &self.artefacts
    }
}

/// Passes those who record: hosts and admins. Whose meeting it is, is asked next.
fn ensure_records(caller: &Caller) -> Result<()> {
    match caller.scope {
        Scope::Host(own) => caller.ensure_hosts(own, KeyScope::Recording),
        _ => caller.ensure_admin_who(KeyScope::Recording),
    }
}

#[cfg(test)]
mod tests;
