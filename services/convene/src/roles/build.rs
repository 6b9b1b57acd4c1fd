//! What each role is told.

use convene_gateway as gateway;
use convene_graph::GraphConfig;
use convene_kit::{BoxFuture, Error, Result, Role, outbound};
use convene_lobby_manager as lobby_manager;
use convene_meeting_broker as meeting_broker;
use convene_recording_coordinator as recording_coordinator;
use convene_scheduler as scheduler;
use convene_webhooks as webhooks;
use convene_workflows as workflows;

use super::Parts;
use crate::config::Provider;

/// Calls need an address for notifications; none are taken yet, operations are asked for instead.
const CALLBACK_URI: &str = "https://callback.invalid/convene";
/// Convene's own lobby stands before the provider's: who was admitted there must not wait a second time.
const LOBBY_BYPASS: &str = "everyone";

/// How Graph is called.
pub fn graph_config(provider: Provider) -> GraphConfig {
    GraphConfig {
        base: provider.base,
        beta_base: provider.beta_base,
        token_url: provider.token_url,
        tenant: provider.tenant,
        client_id: provider.client_id,
        client_secret: provider.client_secret,
        timeout_ms: GraphConfig::TIMEOUT_MS,
        connect_timeout_ms: GraphConfig::CONNECT_TIMEOUT_MS,
        response_bytes_max: GraphConfig::RESPONSE_BYTES_MAX,
    }
}

pub fn meeting_broker(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let provider = parts
            .provider
            .ok_or_else(|| Error::internal("the meeting broker was given no provider"))?;
        let config = meeting_broker::Config {
            graph: graph_config(provider),
            callback_uri: CALLBACK_URI.to_owned(),
            lobby_bypass: LOBBY_BYPASS.to_owned(),
            sealer: parts.keys.join_details()?,
            permit_public_keys: parts.keys.permit_public()?,
        };
        meeting_broker::role(parts.deps, config).await
    })
}

pub fn lobby_manager(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let config = lobby_manager::Config {
            permit_keys: parts.keys.permit()?,
            plugins_dir: parts.config.data.join("plugins"),
        };
        let peers = lobby_manager::Peers {
            broker: parts.ways.to(meeting_broker::NAME)?,
        };
        lobby_manager::role(parts.deps, config, peers).await
    })
}

pub fn scheduler(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let peers = scheduler::Peers {
            broker: parts.ways.to(meeting_broker::NAME)?,
            lobby: parts.ways.to(lobby_manager::NAME)?,
        };
        scheduler::role(parts.deps, peers).await
    })
}

pub fn recording_coordinator(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let config = recording_coordinator::Config::new(parts.config.data.join("artefacts"));
        let peers = recording_coordinator::Peers {
            broker: parts.ways.to(meeting_broker::NAME)?,
        };
        recording_coordinator::role(parts.deps, config, peers).await
    })
}

pub fn webhooks(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let config = webhooks::Config {
            sealer: parts.keys.webhooks()?,
            // In development a listener on this machine may be told.
            outbound: outbound::Settings::new(parts.config.development),
        };
        let peers = webhooks::Peers {
            scheduler: parts.ways.to(scheduler::NAME)?,
            broker: parts.ways.to(meeting_broker::NAME)?,
            lobby: parts.ways.to(lobby_manager::NAME)?,
            recording: parts.ways.to(recording_coordinator::NAME)?,
        };
        webhooks::role(parts.deps, config, peers).await
    })
}

pub fn workflows(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let smtp = parts.config.workflows.smtp.as_ref();
        // Who develops reads e-mails in a folder; elsewhere none are kept where nobody looks.
        let mail_folder = parts
            .config
            .development
            .then(|| parts.config.data.join("mail"));
        let config = workflows::Config {
            outbound: outbound::Settings::new(parts.config.development),
            smtp: smtp.map(|smtp| workflows::Smtp {
                url: smtp.url.clone(),
                from: smtp.from.clone(),
            }),
            mail_folder,
        };
        let peers = workflows::Peers {
            scheduler: parts.ways.to(scheduler::NAME)?,
            broker: parts.ways.to(meeting_broker::NAME)?,
            lobby: parts.ways.to(lobby_manager::NAME)?,
            recording: parts.ways.to(recording_coordinator::NAME)?,
        };
        workflows::role(parts.deps, config, peers).await
    })
}

pub fn gateway(parts: Parts<'_>) -> BoxFuture<'_, Result<Role>> {
    Box::pin(async move {
        let door = parts
            .door
            .ok_or_else(|| Error::internal("the gateway was given no door"))?;
        let config = gateway::Config {
            allow_clock: parts.config.development,
            link_keys: parts.keys.link()?,
            simulator_control: parts.simulator_control,
        };
        let peers = gateway::Peers {
            scheduler: parts.ways.to(scheduler::NAME)?,
            broker: parts.ways.to(meeting_broker::NAME)?,
            lobby: parts.ways.to(lobby_manager::NAME)?,
            recording: parts.ways.to(recording_coordinator::NAME)?,
            webhooks: parts.ways.to(webhooks::NAME)?,
            workflows: parts.ways.to(workflows::NAME)?,
            clocks: parts.ways.all().into_iter().map(|(_, way)| way).collect(),
        };
        gateway::role(parts.deps, config, door, peers).await
    })
}
