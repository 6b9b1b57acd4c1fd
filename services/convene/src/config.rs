//! Configuration: defaults, then a TOML file, then `CONVENE_*` environment variables, then the command line.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use convene_kit::{Error, Result};
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Port of the GraphQL gateway unless told otherwise.
pub const GATEWAY_PORT: u16 = 8787;
/// Port of the simulator unless told otherwise.
pub const SIMULATOR_PORT: u16 = 8790;
/// Port of the simulator over HTTPS unless told otherwise.
pub const SIMULATOR_HTTPS_PORT: u16 = 8791;

/// Everything that can be configured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of databases, keys and artefacts; made with mode 0700.
    pub data: PathBuf,
    /// Development: clocks may be moved and a first key is made and printed.
    pub development: bool,
    /// The public door.
    pub gateway: Gateway,
    /// The built-in simulator.
    pub simulator: Simulator,
    /// The provider; without it the built-in simulator is used.
    pub provider: Option<Provider>,
}

/// The public door.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Allows an address that is not loopback.
    pub allow_public: bool,
}

/// The built-in simulator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulator {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// A Graph-shaped provider.
#[derive(Debug, Deserialize)]
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
    pub client_secret: SecretString,
    /// Control address of a simulator, when the provider is one: its clock moves with ours.
    #[serde(default)]
    pub simulator_control: Option<String>,
}

/// Defaults, in the shape of the file.
#[derive(Serialize)]
struct Defaults {
    data: PathBuf,
    development: bool,
    gateway: GatewayDefaults,
    simulator: SimulatorDefaults,
}

#[derive(Serialize)]
struct GatewayDefaults {
    listen: SocketAddr,
    allow_public: bool,
}

#[derive(Serialize)]
struct SimulatorDefaults {
    listen: SocketAddr,
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Config {
    /// Reads the layers; `file` must exist when given.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let defaults = Defaults {
            data: PathBuf::from("data"),
            development: true,
            gateway: GatewayDefaults {
                listen: loopback(GATEWAY_PORT),
                allow_public: false,
            },
            simulator: SimulatorDefaults {
                listen: loopback(SIMULATOR_PORT),
            },
        };
        let mut figment = Figment::from(Serialized::defaults(defaults));
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
            .merge(Env::prefixed("CONVENE_").split("__"))
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

    /// Everything embedded in `data` on free ports: what tests and the demo use.
    pub fn embedded(data: PathBuf) -> Self {
        Self {
            data,
            development: true,
            gateway: Gateway {
                listen: loopback(0),
                allow_public: false,
            },
            simulator: Simulator {
                listen: loopback(0),
            },
            provider: None,
        }
    }
}
