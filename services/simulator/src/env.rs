//! What a client of the simulator needs to know.

use serde::{Deserialize, Serialize};

/// A client that sends it with `n` is throttled until its `Retry-Attempt`, which official clients count, reaches `n`.
pub const THROTTLE_HEADER: &str = "x-simulator-throttle";

/// Addresses and credentials, as shell variables name them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct SimulatorEnv {
    /// `…/v1.0`.
    pub graph_base: String,
    /// `…/beta`.
    pub graph_beta_base: String,
    /// Entra's v2.0 token endpoint.
    pub graph_token_url: String,
    /// The authority that token libraries want.
    pub graph_authority: String,
    /// Directory id.
    pub graph_tenant: String,
    /// Application id.
    pub graph_client_id: String,
    /// The application's secret.
    pub graph_client_secret: String,
    /// Object id of a user whom the application may act for.
    pub graph_user: String,
    /// That user's principal name.
    pub graph_user_email: String,
    /// Object id of a user without application access policy.
    pub graph_denied_user: String,
    /// File with the certificate of the authority to trust, in PEM; empty over plain HTTP.
    pub graph_ca: String,
    /// Request header whose number says how many attempts of the request are answered 429.
    pub graph_throttle_header: String,
    /// The simulator's own API, over plain HTTP.
    pub graph_control: String,
    /// Endpoint and access key of the communication resource. Official Python clients take it over HTTPS only: they drop the scheme.
    #[serde(default)]
    pub acs_connection_string: String,
    /// The endpoint alone, for clients that are given the key or an Entra credential apart.
    #[serde(default)]
    pub acs_endpoint: String,
    /// The resource's id: the first part of its users' ids, and the audience of its tokens.
    #[serde(default)]
    pub acs_resource_id: String,
    /// Port of this machine at which Event Grid events of calls are taken, under `/eventgrid`.
    #[serde(default)]
    pub acs_eventgrid_port: String,
}

impl std::fmt::Debug for SimulatorEnv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimulatorEnv({})", self.graph_base)
    }
}

impl SimulatorEnv {
    /// One `export NAME='value'` a line, for `eval "$(convene simulator env)"`.
    pub fn exports(&self) -> String {
        let Ok(serde_json::Value::Object(values)) = serde_json::to_value(self) else {
            return String::new();
        };
        values
            .iter()
            .filter_map(|(name, value)| {
                let value = value.as_str()?.replace('\'', r"'\''");
                Some(format!("export {name}='{value}'\n"))
            })
            .collect()
    }
}
