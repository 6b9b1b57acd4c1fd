//! The provider, examined from here or by a running node.

use convene_graph::GraphConfig;
use convene_kit::{Clock, db::snapshot, finding::Finding, role::stored_offset};
use convene_meeting_broker as meeting_broker;
use convene_scheduler as scheduler;

use super::findings as found;
use crate::{
    config::{Config, Provider},
    roles::build::graph_config,
    simulator,
};

/// Organizers that are read from the scheduler's database at the most; the broker says how many it takes of them.
const USERS_MAX: u64 = 100;

/// Looks at the configured provider, and at these users or those of the hosts in the scheduler's database.
pub async fn examine(config: &Config, users: Vec<String>) -> Vec<Finding> {
    let provider = match provider(config).await {
        Ok(provider) => provider,
        Err(finding) => return vec![finding],
    };
    let users = match users.is_empty() {
        true => users_of_hosts(config).await,
        false => users,
    };
    let graph: GraphConfig = graph_config(provider);
    match meeting_broker::examine(graph, &users, &clock(config).await).await {
        Ok(findings) => findings,
        Err(error) => {
            let detail = error.detail().unwrap_or(&error.message).to_owned();
            vec![found::PROVIDER_MISCONFIGURED.with("provider", &[("detail", &detail)])]
        }
    }
}

async fn provider(config: &Config) -> Result<Provider, Finding> {
    if let Some(provider) = &config.provider {
        return Ok(provider.clone());
    }
    let built_in = format!("http://{}", config.simulator.listen);
    let base = config.simulator.url.as_ref().unwrap_or(&built_in);
    let base = base.trim_end_matches('/');
    match simulator::fetch_env(base, "http").await {
        Ok(env) => Ok(simulator::provider(&env, base)),
        Err(_) if config.simulator.url.is_some() => Err(found::SIMULATOR_SILENT.of(base)),
        Err(_) => Err(found::PROVIDER_BUILT_IN.of(base)),
    }
}

/// A database that cannot be read has been told already.
async fn users_of_hosts(config: &Config) -> Vec<String> {
    let read = async {
        let rows = snapshot(&config.database(), scheduler::NAME).await?;
        match rows {
            Some(rows) => scheduler::provider_users(&rows, USERS_MAX).await,
            None => Ok(Vec::new()),
        }
    };
    read.await.unwrap_or_default()
}

/// Business time as the broker knows it: in development it may have been moved, and the simulator's with it.
async fn clock(config: &Config) -> Clock {
    let read = async {
        let rows = snapshot(&config.database(), meeting_broker::NAME).await?;
        match rows {
            Some(rows) => stored_offset(&rows).await,
            None => Ok(Default::default()),
        }
    };
    Clock::new(read.await.unwrap_or_default())
}
