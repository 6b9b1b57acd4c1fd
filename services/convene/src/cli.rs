//! The command line.

mod installation;
mod plugin;
mod simulator;
mod workflow;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use convene_kit::{Code, Error, Result, telemetry::Traces};

use crate::{command, config, logging, roles::RoleName};

/// Convene: from appointment to the right meeting, let in by the right rule, recorded only with consent.
#[derive(Debug, Parser)]
#[command(name = "convene", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play one booking from request to recording, print its timeline, and exit
    Demo(Demo),
    /// Start everything in this process (SQLite, simulator) and stay
    Up(Up),
    /// Run some roles of a set-up of several processes
    Serve(Serve),
    /// Run the Graph-like simulator alone, or print how clients reach a running one
    Simulator(simulator::Simulator),
    /// Show or move the business clock of a running development node
    Clock(Clock),
    /// List, make or revoke the tenant's API keys on a running node
    ApiKeys(ApiKeys),
    /// Make a tenant, or a key for one that lost its last, on a node that stands still
    Tenant(Tenant),
    /// Try plugins here; publish, bind, compare and replay them on a running node
    Plugin(plugin::Plugin),
    /// Verify or show what happened, from the databases themselves
    Audit(Audit),
    /// Check workflow definitions, or print one to begin with
    Workflow(workflow::Workflow),
    /// Print generated contracts
    Schema(Schema),
    /// Check a configuration file, or print what is in force
    Config(ConfigArgs),
    /// Bring the databases of roles up to date
    Migrate(installation::Migrate),
    /// Examine an installation: what is wrong, and what mends it
    Doctor(installation::Doctor),
    /// Make, list, export, rotate and retire keys
    Keys(installation::Keys),
    /// Make a CA and certificates for development
    Certificates(installation::Certificates),
}

#[derive(Debug, Args)]
struct Demo {
    /// Folder for the demo's databases; a fresh one in the system's temporary folder when left out
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Up {
    /// TOML file; see deploy/config
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of databases, keys and artefacts [default: data]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where the gateway listens; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Use the simulator that runs at this address instead of a built-in one, for example http://127.0.0.1:8790
    #[arg(long)]
    simulator: Option<String>,
    /// Where the built-in simulator listens [default: 127.0.0.1:8790]
    #[arg(long, conflicts_with = "simulator")]
    simulator_listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct Serve {
    /// Which, for example gateway,scheduler
    #[arg(long, value_delimiter = ',', required = true)]
    roles: Vec<RoleName>,
    /// TOML file; see deploy/config
    #[arg(long)]
    config: PathBuf,
    /// Folder of databases, keys and artefacts [default: the configuration's]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Use the simulator that runs at this address as provider, for example http://127.0.0.1:8790
    #[arg(long)]
    simulator: Option<String>,
}

#[derive(Debug, Args)]
struct Clock {
    #[command(subcommand)]
    command: ClockCommand,
}

#[derive(Debug, Args)]
struct Server {
    /// Address of the gateway
    #[arg(long, global = true, default_value_t = format!("http://127.0.0.1:{}", config::GATEWAY_PORT))]
    url: String,
    /// An admin's API key; `convene up` prints one
    #[arg(long, global = true, env = "CONVENE_KEY", hide_env_values = true)]
    key: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// Print business time and how far it stands from wall time
    Show {
        #[command(flatten)]
        server: Server,
    },
    /// Move business time forward, for example 90s, 15m, 24h, 7d
    Advance {
        /// How far
        by: String,
        #[command(flatten)]
        server: Server,
    },
    /// Back to wall time
    Reset {
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
struct ApiKeys {
    #[command(subcommand)]
    command: ApiKeysCommand,
}

#[derive(Debug, Subcommand)]
enum ApiKeysCommand {
    /// Print the keys: role, scopes, last use, whether they hold; never the secrets
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Make a key and print its secret, this once
    Create(CreateApiKey),
    /// Revoke a key
    Revoke {
        /// API id of the key, as `list` prints it
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
struct CreateApiKey {
    /// For people
    name: String,
    /// ADMIN, BOOKING_APP or HOST
    #[arg(long)]
    role: String,
    /// API id of the host of a HOST key
    #[arg(long)]
    host: Option<String>,
    /// Less than the role may; several with commas: BOOKINGS_READ, BOOKINGS_WRITE, LOBBY, RECORDING, ADMIN
    #[arg(long, value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// Holds so long only, for example 12h or 90d
    #[arg(long)]
    lasts: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Args)]
struct Tenant {
    #[command(subcommand)]
    command: TenantCommand,
}

#[derive(Debug, Subcommand)]
enum TenantCommand {
    /// Make a tenant and print its first ADMIN key, this once
    Create {
        #[command(flatten)]
        node: StillNode,
    },
    /// Make an ADMIN key for a tenant and print it, this once
    Key {
        /// UUID of the tenant
        tenant: String,
        #[command(flatten)]
        node: StillNode,
    },
}

#[derive(Debug, Args)]
struct StillNode {
    /// TOML file of the node
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of databases, keys and artefacts [default: data]
    #[arg(long)]
    data: Option<PathBuf>,
    /// The key's name, for people
    #[arg(long, default_value = "first admin")]
    name: String,
}

#[derive(Debug, Args)]
struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Recompute every hash chain and compare its end with the object it tells of
    Verify {
        #[command(flatten)]
        databases: Databases,
        /// Only this booking (its UUID)
        #[arg(long)]
        booking: Option<String>,
    },
    /// Print the trail of one booking over all services
    Show {
        /// The booking's UUID or API id
        booking: String,
        #[command(flatten)]
        databases: Databases,
    },
}

/// Whose databases are read; the node may run meanwhile.
#[derive(Debug, Args)]
struct Databases {
    /// The node's TOML file, when its databases are on PostgreSQL
    #[arg(long)]
    config: Option<PathBuf>,
    /// Data folder [default: data]
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Databases {
    fn database(self) -> Result<convene_kit::Database> {
        Ok(still(self.config, self.data)?.database())
    }
}

#[derive(Debug, Args)]
struct Schema {
    #[command(subcommand)]
    command: SchemaCommand,
}

#[derive(Debug, Subcommand)]
enum SchemaCommand {
    /// Print the GraphQL schema
    Print,
}

#[derive(Debug, Args)]
struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether a file can be used, and where it is wrong
    Check {
        /// TOML file
        file: PathBuf,
    },
    /// Print the values in force, secrets hidden
    Print {
        /// TOML file; defaults and environment only when left out
        file: Option<PathBuf>,
    },
}

/// Runs the process's command; errors go to standard error with their remedy.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::internal(error.to_string())),
    };
    // The way to the collector lives in the runtime.
    let inside = runtime.enter();
    let traces = match traces(&cli.command) {
        Ok(traces) => traces,
        Err(error) => return fail(&error),
    };
    drop(inside);
    // Commands for people stay quiet; servers say what they do.
    let default = match cli.command {
        Command::Up(_) | Command::Serve(_) | Command::Simulator(_) => "info,sqlx=warn,sea_orm=warn",
        _ => "error",
    };
    logging::start(default, traces.as_ref());
    let ended = runtime.block_on(run(cli.command, traces.as_ref()));
    if let Some(traces) = &traces {
        traces.flush();
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Servers tell a collector what they do, when one is configured.
fn traces(command: &Command) -> Result<Option<Traces>> {
    let (file, roles) = match command {
        Command::Up(up) => (up.config.as_deref(), RoleName::all()),
        Command::Serve(serve) => (Some(serve.config.as_path()), serve.roles.clone()),
        _ => return Ok(None),
    };
    match config::Config::load(file) {
        Ok(config) => logging::traces(&config, &roles),
        // The command itself tells what is wrong.
        Err(_) => Ok(None),
    }
}

#[allow(clippy::print_stderr)]
fn fail(error: &Error) -> ExitCode {
    eprintln!("convene: {error}");
    if let Some(detail) = error.detail() {
        eprintln!("  {detail}");
    }
    // 2: the command's words are wrong; 1: it did not work out.
    ExitCode::from(if error.code == Code::InvalidArgument {
        2
    } else {
        1
    })
}

async fn run(command: Command, traces: Option<&Traces>) -> Result<()> {
    match command {
        Command::Demo(demo) => crate::demo::run(demo.data).await,
        Command::Up(up) => {
            let options = command::up::Options {
                config: up.config,
                data: up.data,
                listen: up.listen,
                simulator: up.simulator,
                simulator_listen: up.simulator_listen,
            };
            command::up::run(options, traces).await
        }
        Command::Serve(serve) => {
            let options = command::serve::Options {
                roles: serve.roles,
                config: serve.config,
                data: serve.data,
                simulator: serve.simulator,
            };
            command::serve::run(options, traces).await
        }
        Command::Simulator(wanted) => simulator::run(wanted).await,
        Command::Workflow(wanted) => workflow::run(wanted),
        Command::Clock(clock) => match clock.command {
            ClockCommand::Show { server } => command::clock::show(&client(server)?).await,
            ClockCommand::Advance { by, server } => {
                let by = command::clock::parse_duration(&by)?;
                command::clock::advance(&client(server)?, by).await
            }
            ClockCommand::Reset { server } => command::clock::reset(&client(server)?).await,
        },
        Command::ApiKeys(keys) => api_keys(keys.command).await,
        Command::Plugin(plugin) => plugin::run(plugin).await,
        Command::Tenant(tenant) => match tenant.command {
            TenantCommand::Create { node } => {
                command::tenant::create(&still(node.config, node.data)?, None, &node.name).await
            }
            TenantCommand::Key { tenant, node } => {
                let config = still(node.config, node.data)?;
                command::tenant::create(&config, Some(&tenant), &node.name).await
            }
        },
        Command::Audit(audit) => match audit.command {
            AuditCommand::Verify { databases, booking } => {
                command::audit::verify(&databases.database()?, booking.as_deref()).await
            }
            AuditCommand::Show { booking, databases } => {
                command::audit::show(&databases.database()?, &booking).await
            }
        },
        Command::Schema(Schema {
            command: SchemaCommand::Print,
        }) => {
            command::print(&convene_gateway::sdl());
            Ok(())
        }
        Command::Config(ConfigArgs {
            command: ConfigCommand::Check { file },
        }) => {
            config::Config::load(Some(&file))?;
            command::print(&format!("{} can be used\n", file.display()));
            Ok(())
        }
        Command::Config(ConfigArgs {
            command: ConfigCommand::Print { file },
        }) => {
            command::print(&config::Config::load(file.as_deref())?.shown()?);
            Ok(())
        }
        Command::Migrate(migrate) => installation::migrate(migrate).await,
        Command::Doctor(doctor) => installation::doctor(doctor).await,
        Command::Keys(keys) => installation::keys(keys).await,
        Command::Certificates(wanted) => installation::certificates(wanted),
    }
}

async fn api_keys(command: ApiKeysCommand) -> Result<()> {
    match command {
        ApiKeysCommand::List { server } => command::api_keys::list(&client(server)?).await,
        ApiKeysCommand::Create(new) => {
            let lasts = new.lasts.as_deref().map(command::clock::parse_duration);
            let lasts_ms = lasts.transpose().map_err(|e| e.on_field("--lasts"))?;
            let wish = command::api_keys::Wish {
                name: new.name,
                role: new.role,
                host: new.host,
                scopes: new.scopes,
                lasts_ms,
            };
            command::api_keys::create(&client(new.server)?, wish).await
        }
        ApiKeysCommand::Revoke { id, server } => {
            command::api_keys::revoke(&client(server)?, &id).await
        }
    }
}

/// The configuration of a node that is not started here.
fn still(file: Option<PathBuf>, data: Option<PathBuf>) -> Result<config::Config> {
    let mut config = config::Config::load(file.as_deref())?;
    if let Some(data) = data {
        config.data = data;
    }
    Ok(config)
}

fn client(server: Server) -> Result<crate::graphql::Client> {
    let key = server.key.ok_or_else(|| {
        Error::invalid(
            "--key",
            "REQUIRED",
            "name an admin's API key with --key or CONVENE_KEY; `convene up` prints one",
        )
    })?;
    crate::graphql::Client::new(&server.url, &format!("Bearer {key}"))
}
