//! The ways between roles: a pipe within the process, the replicas of a role elsewhere.

use std::collections::BTreeMap;

use convene_gateway as gateway;
use convene_kit::{
    Channel, Error, Result,
    local::{self, Incoming},
    remote,
    tls::Tls,
};

use crate::{
    config::Config,
    roles::{RoleName, spec},
};

/// How the roles of a process reach each other and the roles elsewhere.
#[derive(Debug, Default)]
pub struct Ways {
    to: BTreeMap<&'static str, Channel>,
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
            let field = format!("peers.{name}");
            let places = config.peers.get(&name).filter(|places| !places.is_empty());
            // Nobody watches whom nobody here calls; the gateway tells business time to other gateways too.
            let asked = name.as_str() == gateway::NAME && here.contains(&name);
            let places = places.filter(|_| asked || caller(name, here).is_some());
            let elsewhere = places
                .map(|places| remote::balanced(&field, name.as_str(), places, tls))
                .transpose()?;
            let way = match (here.contains(&name), elsewhere) {
                (true, elsewhere) => {
                    let (channel, incoming) = local::pipe();
                    accept.insert(name, incoming);
                    match elsewhere {
                        Some(elsewhere) => channel.beside(elsewhere),
                        None => channel,
                    }
                }
                (false, Some(elsewhere)) => elsewhere.into(),
                (false, None) => {
                    ensure_unneeded(name, here)?;
                    continue;
                }
            };
            ways.to.insert(name.as_str(), way);
        }
        Ok((ways, accept))
    }

    /// The way to a role.
    pub fn to(&self, role: &'static str) -> Result<Channel> {
        let way = self.to.get(role).cloned();
        way.ok_or_else(|| Error::internal(format!("{role} is not among the roles it calls")))
    }

    /// Every role that runs here or is called from here, and the way there.
    pub fn all(&self) -> Vec<(&'static str, Channel)> {
        let all = self.to.iter();
        all.map(|(role, way)| (*role, way.clone())).collect()
    }
}

/// A role of this process that calls another.
fn caller(name: RoleName, here: &[RoleName]) -> Option<RoleName> {
    let calls = |here: &&RoleName| spec(**here).calls.contains(&name.as_str());
    here.iter().find(calls).copied()
}

/// A role that nobody here calls may be anywhere.
fn ensure_unneeded(name: RoleName, here: &[RoleName]) -> Result<()> {
    match caller(name, here) {
        None => Ok(()),
        Some(caller) => Err(Error::invalid(
            format!("peers.{name}"),
            "PEER_UNKNOWN",
            format!(
                "{caller} calls {name}, which does not run in this process; name its addresses in peers.{name}, or add it to --roles"
            ),
        )),
    }
}
