//! Commands that set an installation up: databases, keys, certificates.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use convene_kit::{Result, keys::Use};

use super::still;
use crate::{command, doctor::Scope, roles::RoleName};

#[derive(Debug, Args)]
pub struct Migrate {
    /// Which, for example gateway,scheduler [default: all]
    #[arg(long, value_delimiter = ',')]
    roles: Vec<RoleName>,
    /// TOML file
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of SQLite files [default: the configuration's]
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// TOML file of the process; see deploy/config
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of databases and keys [default: the configuration's]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Roles of the process, for example gateway,scheduler [default: all]
    #[arg(long, value_delimiter = ',')]
    roles: Vec<RoleName>,
    /// Look at these users of the provider, several with commas [default: those of the first hosts]
    #[arg(long = "user", value_delimiter = ',')]
    users: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
    /// TOML file that names the key file
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Folder with databases and, unless keys.file is configured, keys.json [default: the configuration's]
    #[arg(long, global = true)]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the key file of a new installation
    Make,
    /// Print ids and uses
    List,
    /// Write a key file with only what some roles need
    Export {
        /// Which, for example lobby-manager
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<RoleName>,
        /// Write to this file, mode 0600, instead of standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Make new keys; the old ones go on verifying and opening
    Rotate {
        /// Callers between roles
        #[arg(long)]
        caller: bool,
        /// Permits
        #[arg(long)]
        permit: bool,
        /// Join details at rest
        #[arg(long)]
        join_details: bool,
        /// Links of the gateway
        #[arg(long)]
        link: bool,
        /// Secrets of webhook endpoints at rest
        #[arg(long)]
        webhooks: bool,
        /// When they begin: every process has read them by then
        #[arg(long = "in", default_value = "60s")]
        begin: String,
    },
    /// Take a replaced key out of the file
    Retire {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct Certificates {
    /// Folder for them
    #[arg(long)]
    dir: PathBuf,
    /// A further DNS name or IP address under which the roles are known; may be given several times
    #[arg(long = "host")]
    hosts: Vec<String>,
}

/// `convene migrate`.
pub async fn migrate(migrate: Migrate) -> Result<()> {
    let config = still(migrate.config, migrate.data)?;
    let roles = match migrate.roles.is_empty() {
        true => RoleName::all(),
        false => migrate.roles,
    };
    command::migrate::run(&config, &roles).await
}

/// `convene doctor`.
pub async fn doctor(doctor: Doctor) -> Result<()> {
    let scope = Scope {
        file: doctor.config,
        data: doctor.data,
        roles: doctor.roles,
        users: doctor.users,
    };
    command::doctor::run(scope, doctor.json).await
}

/// `convene certificates`.
pub fn certificates(wanted: Certificates) -> Result<()> {
    command::certificates::make(&wanted.dir, &wanted.hosts)
}

/// `convene keys`.
pub async fn keys(keys: Keys) -> Result<()> {
    let config = still(keys.config, keys.data)?;
    match keys.command {
        KeysCommand::Make => command::keys::make(&config),
        KeysCommand::List => command::keys::list(&config),
        KeysCommand::Export { roles, out } => {
            command::keys::export(&config, &roles, out.as_deref())
        }
        KeysCommand::Rotate {
            caller,
            permit,
            join_details,
            link,
            webhooks,
            begin,
        } => {
            let wanted = [
                (caller, Use::Caller),
                (permit, Use::Permit),
                (join_details, Use::JoinDetails),
                (link, Use::Link),
                (webhooks, Use::Webhooks),
            ];
            let uses: Vec<_> = wanted
                .into_iter()
                .filter_map(|(wanted, what)| wanted.then_some(what))
                .collect();
            let begin_ms = command::clock::parse_duration(&begin)?;
            command::keys::rotate(&config, &uses, begin_ms)
        }
        KeysCommand::Retire { id } => command::keys::retire(&config, &id).await,
    }
}
