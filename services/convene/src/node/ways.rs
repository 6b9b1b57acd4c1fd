//! The ways between roles: a pipe within the process, TCP to another.

use std::collections::BTreeMap;

use convene_kit::{
    Error, Result,
    local::{self, Incoming},
    remote,
    tls::Tls,
};
use tonic::transport::Channel;

use crate::{
    config::Config,
    roles::{ROLES, RoleName},
};

/// How the roles of a process reach each other and the roles elsewhere.
#[derive(Debug, Default)]
pub struct Ways {
    to: BTreeMap<&'static str, Way>,
}

#[derive(Debug)]
struct Way {
    /// For calls.
    calls: Channel,
    /// Each replica by itself.
    each: Vec<Channel>,
}

impl Ways {
    /// The ways from a process with these roles, and where each of them accepts its own process.
    pub fn lay(
        config: &Config,
        here: &[RoleName],
        tls: Option<&Tls>,
    ) -> Result<(Self, BTreeMap<RoleName, Incoming>)> {
        let mut ways = Self::default();
        let mut accept = BTreeMap::new();
        for name in RoleName::all() {
            let mut each = Vec::new();
            let mut own = None;
            if here.contains(&name) {
                let (channel, incoming) = local::pipe();
                accept.insert(name, incoming);
                own = Some(channel);
            }
            let field = format!("peers.{name}");
            for address in config.peers.get(&name).into_iter().flatten() {
                each.push(remote::channel(&field, name.as_str(), address, tls)?);
            }
            each.splice(0..0, own);
            // A role of this process is called here, wherever else it runs.
            let Some(calls) = each.first().cloned() else {
                ensure_unneeded(name, here)?;
                continue;
            };
            ways.to.insert(name.as_str(), Way { calls, each });
        }
        Ok((ways, accept))
    }

    /// The way to a role.
    pub fn to(&self, role: &'static str) -> Result<Channel> {
        let way = self.to.get(role).map(|way| way.calls.clone());
        way.ok_or_else(|| Error::internal(format!("{role} is not among the roles it calls")))
    }

    /// Every role that is reached from here, and the way there.
    pub fn all(&self) -> Vec<(&'static str, Channel)> {
        let all = self.to.iter();
        all.map(|(role, way)| (*role, way.calls.clone())).collect()
    }

    /// Every replica of every role.
    pub fn each(&self) -> Vec<Channel> {
        self.to.values().flat_map(|way| way.each.clone()).collect()
    }
}

/// A role that nobody here calls may be anywhere.
fn ensure_unneeded(name: RoleName, here: &[RoleName]) -> Result<()> {
    let caller = ROLES.iter().find(|spec| {
        here.iter().any(|here| here.as_str() == spec.name) && spec.calls.contains(&name.as_str())
    });
    match caller {
        None => Ok(()),
        Some(caller) => Err(Error::invalid(
            format!("peers.{name}"),
            "PEER_UNKNOWN",
            format!(
                "{} calls {name}, which does not run in this process; name its addresses in peers.{name}, or add it to --roles",
                caller.name
            ),
        )),
    }
}
