//! `convene up`.

use std::{net::SocketAddr, path::PathBuf};

use convene_kit::{Result, telemetry::Traces};

use super::{print, stop_signal};
use crate::{Node, config::Config, simulator};

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub simulator: Option<String>,
    pub simulator_listen: Option<SocketAddr>,
}

/// Starts everything and stays until stopped.
pub async fn run(options: Options, traces: Option<&Traces>) -> Result<()> {
    let mut config = Config::load(options.config.as_deref())?;
    if let Some(data) = options.data {
        config.data = data;
    }
    if let Some(listen) = options.listen {
        config.gateway.listen = listen;
    }
    if let Some(listen) = options.simulator_listen {
        config.simulator.listen = listen;
    }
    if let Some(base) = options.simulator {
        let base = base.trim_end_matches('/');
        let env = simulator::fetch_env(base, "http").await?;
        config.provider = Some(simulator::provider(&env, base));
    }
    let node = Node::start(config).await?;
    if let Some(traces) = traces {
        traces.register(node.metrics());
    }
    print(&greeting(&node));
    node.run_until(stop_signal()).await
}

/// As this process was called, so that the command works where this one did.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "convene".to_owned())
}

fn greeting(node: &Node) -> String {
    let (url, operations) = (node.url(), node.operations_url());
    let mut text = format!(
        "Convene is up.\n\n  GraphQL        {url}/graphql\n  Explorer       {url}/graphiql\n  Subscriptions  {url}/graphql/stream (SSE), {} (graphql-transport-ws)\n  Operations     {operations}/ready, {operations}/metrics\n",
        url.replacen("http", "ws", 1) + "/graphql/ws",
    );
    let Some(development) = node.development() else {
        text.push_str("\nKeys come from `convene tenant create`. Stop with Ctrl-C.\n");
        return text;
    };
    text.push_str(&format!("  Admin key      {}\n", development.secret()));
    if let Some(simulator) = node.simulator() {
        let env = simulator.env();
        text.push_str(&format!(
            "\n  Simulator      {}\n    tenant       {}\n    client id    {}\n    secret       {}\n    user         {} ({})\n",
            simulator.base_url(),
            env.graph_tenant,
            env.graph_client_id,
            env.graph_client_secret,
            env.graph_user,
            env.graph_user_email,
        ));
        let key = development.secret();
        let post = |query: &str| {
            format!(
                "curl -s {url}/graphql -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{}'",
                serde_json::json!({ "query": query })
                    .to_string()
                    .replace('\'', r"'\''")
            )
        };
        text.push_str(&format!(
            "\nTry, in another terminal:\n\n  1. Make a service and a host\n{}\n\n  2. See what the provider can do\n{}\n\n  3. Move the business clock\n{} clock advance 24h --url {url} --key {key}\n",
            post(&format!(
                r#"mutation {{ createService(input: {{ idempotencyKey: "s1", name: "First visit", durationMs: 1800000 }}) {{ service {{ id }} refusal {{ reason message }} }} createHost(input: {{ idempotencyKey: "h1", name: "Front desk", providerUser: "{}" }}) {{ host {{ id }} refusal {{ reason message }} }} }}"#,
                env.graph_user
            )),
            post("{ meetingProviders { name capabilities { name level note } } }"),
            program(),
        ));
    }
    text.push_str("\nStop with Ctrl-C.\n");
    text
}
