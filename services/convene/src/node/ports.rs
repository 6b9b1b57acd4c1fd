//! Ports: all of them are bound before anything starts, so a taken one is told at once and nothing begins half.

use std::{collections::BTreeMap, net::SocketAddr};

use convene_gateway as gateway;
use convene_kit::{Error, Result, listen::Listener, tls::Tls};

use tokio::net::TcpListener;

use crate::{
    config::Config,
    operations,
    roles::{ROLES, RoleName},
};

/// The bound ports of a process.
#[derive(Debug)]
pub struct Ports {
    pub(super) roles: BTreeMap<RoleName, Listener>,
    pub(super) door: Option<gateway::Door>,
    pub(super) operations: TcpListener,
}

impl Ports {
    /// Binds what these roles listen on.
    pub async fn bind(config: &Config, roles: &[RoleName], tls: Option<&Tls>) -> Result<Self> {
        let with_gateway = roles.iter().any(|name| name.as_str() == gateway::NAME);
        let listen = config.operations_listen(with_gateway);
        let mut ports = Self {
            roles: BTreeMap::new(),
            door: None,
            operations: operations::bind(listen, config.operations.allow_public).await?,
        };
        for name in roles {
            if name.as_str() == gateway::NAME {
                let public = config.gateway.allow_public;
                ports.door = Some(gateway::Door::bind(config.gateway.listen, public).await?);
            }
            let field = format!("listen.{name}");
            match config.listen.get(name) {
                Some(address) => {
                    let listener = Listener::bind(&field, *address, tls).await?;
                    ports.roles.insert(*name, listener);
                }
                None => ensure_reached(*name, roles, field)?,
            }
        }
        Ok(ports)
    }

    /// Where a role listens for other processes.
    pub fn of(&self, role: RoleName) -> Option<SocketAddr> {
        self.roles.get(&role).map(Listener::address)
    }

    /// Where the gateway's public door is.
    pub fn door(&self) -> Option<SocketAddr> {
        self.door.as_ref().map(gateway::Door::address)
    }
}

/// A role without a port is of use to its own process only.
fn ensure_reached(name: RoleName, here: &[RoleName], field: String) -> Result<()> {
    let elsewhere = ROLES.iter().find(|spec| {
        spec.calls.contains(&name.as_str()) && !here.iter().any(|here| here.as_str() == spec.name)
    });
    match elsewhere {
        None => Ok(()),
        Some(caller) => Err(Error::invalid(
            field.clone(),
            "LISTEN_MISSING",
            format!(
                "{} calls {name} and does not run in this process; say in {field} where {name} listens, as 127.0.0.1:8801",
                caller.name
            ),
        )),
    }
}
