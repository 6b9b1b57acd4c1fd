//! Configuration: defaults, then a TOML file, then `CONVENE_*` environment variables, then the command line.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use convene_kit::{Error, Result, db::CONNECTIONS};
use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

use crate::roles::RoleName;

/// Port of the GraphQL gateway unless told otherwise.
pub const GATEWAY_PORT: u16 = 8787;
/// Port of the simulator unless told otherwise.
pub const SIMULATOR_PORT: u16 = 8790;
/// Port of the simulator over HTTPS unless told otherwise.
pub const SIMULATOR_HTTPS_PORT: u16 = 8791;

/// `CONVENE_*` variables that are not configuration: they belong to single commands and to logging.
const NOT_CONFIGURATION: [&str; 2] = ["key", "log"];

/// Everything that can be configured.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of databases, keys and artefacts; made with mode 0700.
    pub data: PathBuf,
    /// Development: clocks may be moved and a first key is made and printed.
    pub development: bool,
    /// The public door.
    pub gateway: Gateway,
    /// The operators' door.
    pub operations: Operations,
    /// The simulator.
    pub simulator: Simulator,
    /// The provider; without it the simulator is used.
    pub provider: Option<Provider>,
    /// Where roles listen for other processes, by role; port 0 takes a free one.
    #[schemars(with = "BTreeMap<RoleName, String>")]
    pub listen: BTreeMap<RoleName, SocketAddr>,
    /// Where roles of other processes are, by role: one `host:port` for each replica.
    pub peers: BTreeMap<RoleName, Vec<String>>,
    /// Where the databases are.
    pub database: Database,
    /// TLS between roles; without it every address is loopback.
    pub tls: Option<Tls>,
    /// The key file.
    pub keys: Keys,
    /// Where traces go.
    pub telemetry: Telemetry,
    /// What workflows send with.
    pub workflows: Workflows,
}

/// The public door.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// Where it listens; port 0 takes a free one.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Allows an address that is not loopback.
    pub allow_public: bool,
}

/// The operators' door: /health, /ready, /metrics. Not for the public.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operations {
    /// Where it listens. Left out: loopback, at the port after the gateway's; at a free one when the gateway takes a free one or runs elsewhere.
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// Allows an address that is not loopback.
    pub allow_public: bool,
}

/// The simulator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Simulator {
    /// Where the built-in one listens; port 0 takes a free one.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Use the one that runs at this address instead, for example `http://127.0.0.1:8790`.
    pub url: Option<String>,
}

/// A Graph-shaped provider.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Graph base address with version, for example `https://graph.microsoft.com/v1.0`.
    pub base: String,
    /// Beta base address.
    pub beta_base: String,
    /// Token endpoint.
    pub token_url: String,
    /// Directory (tenant) id.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret; best given as `CONVENE_PROVIDER__CLIENT_SECRET`.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "String")]
    pub client_secret: SecretString,
    /// Control address of a simulator, when the provider is one: its clock moves with ours.
    #[serde(default)]
    pub simulator_control: Option<String>,
}

/// Where the databases are: one file for each role in the data folder, or one schema for each on PostgreSQL.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user:password@host:port/name`, best given as `CONVENE_DATABASE__URL`; SQLite when left out.
    #[serde(serialize_with = "hidden_when_there")]
    #[schemars(with = "Option<String>")]
    pub url: Option<SecretString>,
    /// Connections of one role in one process to PostgreSQL, besides two that listen and hold leases; at least 2.
    pub connections: u32,
    /// Whether a start brings schemas up to date; otherwise `convene migrate` does, and a start refuses one that is not.
    pub migrate_at_start: bool,
}

/// PEM files of TLS between roles. Both sides show a certificate of the CA.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate of the CA.
    pub ca: PathBuf,
    /// Certificate of this process; its names are those of the roles that listen here.
    pub certificate: PathBuf,
    /// Its private key, mode 0600.
    pub key: PathBuf,
}

/// The key file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Where it is; `keys.json` in the data folder when left out.
    pub file: Option<PathBuf>,
}

/// Where traces go.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Address of an OpenTelemetry collector that takes OTLP over gRPC, for example `http://127.0.0.1:4317`; https when it is not loopback. Left out: that in
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`; without either, traces go nowhere.
    pub otlp: Option<String>,
}

/// What workflows send with.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Workflows {
    /// Who takes e-mails. Left out: in development they are written to the folder `mail` of the data folder, else steps that send one fail with
    /// `SMTP_NOT_CONFIGURED`.
    pub smtp: Option<Smtp>,
}

/// A server that takes e-mails.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// `smtps://user:password@host:465`, or `smtp://user:password@host:587?tls=required`; best given as `CONVENE_WORKFLOWS__SMTP__URL`.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "String")]
    pub url: SecretString,
    /// Whose address they come from, for example `Clinic <no-reply@clinic.example>`.
    pub from: String,
}

impl Telemetry {
    /// The collector's address; an empty one is none.
    pub fn address(&self) -> Option<String> {
        let standard = || std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
        let address = self.otlp.clone().or_else(standard);
        address.filter(|address| !address.is_empty())
    }
}

fn hidden<S: Serializer>(_: &SecretString, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str("(hidden)")
}

fn hidden_when_there<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => hidden(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// The JSON Schema of a configuration file.
pub fn schema() -> Result<String> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(Config))? + "\n")
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            development: true,
            gateway: Gateway::default(),
            operations: Operations::default(),
            simulator: Simulator::default(),
            provider: None,
            listen: BTreeMap::new(),
            peers: BTreeMap::new(),
            database: Database::default(),
            tls: None,
            keys: Keys::default(),
            telemetry: Telemetry::default(),
            workflows: Workflows::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            connections: CONNECTIONS,
            migrate_at_start: true,
        }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            listen: loopback(GATEWAY_PORT),
            allow_public: false,
        }
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self {
            listen: loopback(SIMULATOR_PORT),
            url: None,
        }
    }
}

impl Config {
    /// Reads the layers; `file` must exist when given.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Error::invalid(
                    "--config",
                    "CONFIG_NOT_FOUND",
                    format!("there is no file {}", file.display()),
                ));
            }
            figment = figment.merge(Toml::file(file));
        }
        figment
            .merge(
                Env::prefixed("CONVENE_")
                    .ignore(&NOT_CONFIGURATION)
                    .split("__"),
            )
            .extract()
            .map_err(|error| {
                Error::invalid(
                    error.path.join("."),
                    "CONFIG_INVALID",
                    // The text of figment names the value's place and what was expected.
                    error.to_string(),
                )
            })
    }

    /// Where the databases are.
    pub fn database(&self) -> convene_kit::Database {
        match &self.database.url {
            None => convene_kit::Database::sqlite(&self.data),
            Some(url) => convene_kit::Database::Postgres {
                url: url.clone(),
                connections: self.database.connections,
            },
        }
    }

    /// Where operators are served, in a process with the gateway or without.
    pub fn operations_listen(&self, with_gateway: bool) -> SocketAddr {
        let next = match self.gateway.listen.port() {
            port if with_gateway && port != 0 => port.wrapping_add(1),
            _ => 0,
        };
        self.operations.listen.unwrap_or(loopback(next))
    }

    /// The values in force as a file would say them; secrets are hidden.
    pub fn shown(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::internal(error.to_string()))
    }

    /// Everything embedded in `data` on free ports: what tests and the demo use.
    pub fn embedded(data: PathBuf) -> Self {
        Self {
            data,
            gateway: Gateway {
                listen: loopback(0),
                ..Gateway::default()
            },
            simulator: Simulator {
                listen: loopback(0),
                ..Simulator::default()
            },
            ..Self::default()
        }
    }
}
