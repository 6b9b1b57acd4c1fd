//! What the tenant's administrator lets the application do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{User, World};
use crate::permissions;

/// Decisions that differ from those of the start.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Application permissions consented to; all that the simulator answers when `None`.
    granted: Option<BTreeSet<String>>,
    /// Whether the application access policy covers a user, by object id.
    policies: BTreeMap<String, bool>,
}

impl World {
    /// Permissions that new tokens carry.
    pub fn permissions(&self) -> &BTreeSet<String> {
        let granted = self.access.granted.as_ref();
        granted.unwrap_or_else(|| permissions::granted())
    }

    /// Consents to these alone; to all of the start with `None`.
    pub fn grant(&mut self, permissions: Option<BTreeSet<String>>) {
        self.access.granted = permissions;
    }

    /// Whether the application may act on online meetings of a user (`New-CsApplicationAccessPolicy`).
    pub fn covers(&self, user: &User) -> bool {
        let decided = self.access.policies.get(&user.id);
        decided.copied().unwrap_or(user.covered)
    }

    /// Gives a user the policy, or takes it.
    pub fn cover(&mut self, user: &User, covered: bool) {
        self.access.policies.insert(user.id.clone(), covered);
    }
}
