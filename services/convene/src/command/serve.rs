//! `convene serve`.

use std::{collections::BTreeSet, path::PathBuf};

use convene_kit::{Result, telemetry::Traces};

use super::{print, stop_signal};
use crate::{Node, config::Config, node::Ports, roles::RoleName};

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    pub roles: Vec<RoleName>,
    pub config: PathBuf,
    pub data: Option<PathBuf>,
    pub simulator: Option<String>,
}

/// Starts some roles and stays until stopped.
pub async fn run(options: Options, traces: Option<&Traces>) -> Result<()> {
    let mut config = Config::load(Some(&options.config))?;
    if let Some(data) = options.data {
        config.data = data;
    }
    if let Some(base) = options.simulator {
        config.simulator.url = Some(base.trim_end_matches('/').to_owned());
        config.provider = None;
    }
    let roles: Vec<_> = BTreeSet::from_iter(options.roles).into_iter().collect();
    let ports = Ports::bind(&config, &roles, config.tls()?.as_ref()).await?;
    let mut greeting = String::from("Convene serves.\n\n");
    for role in &roles {
        let place = match ports.of(*role) {
            Some(address) => address.to_string(),
            None => "for this process only".to_owned(),
        };
        greeting.push_str(&format!("  {role:<22} {place}\n"));
    }
    let starting = Node::serve(config, &roles, ports);
    let node = tokio::select! {
        node = starting => node?,
        () = stop_signal() => return Ok(()),
    };
    if let Some(traces) = traces {
        traces.register(node.metrics());
    }
    if !node.url().is_empty() {
        greeting.push_str(&format!(
            "  GraphQL                {}/graphql\n",
            node.url()
        ));
    }
    if let Some(development) = node.development() {
        greeting.push_str(&format!(
            "  Admin key              {}\n",
            development.secret()
        ));
    }
    greeting.push_str(&format!(
        "  Operations             {0}/ready, {0}/metrics\n",
        node.operations_url()
    ));
    greeting.push_str("\nStop with Ctrl-C.\n");
    print(&greeting);
    node.run_until(stop_signal()).await
}
