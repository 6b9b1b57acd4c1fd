//! `convene plugin`: its words.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use convene_kit::Result;

use super::{Server, client};
use crate::command::plugin::{self, local, new, remote};

#[derive(Debug, Args)]
pub struct Plugin {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    /// Write a project that builds, passes its fixtures, and decides about arrivals
    New {
        /// A folder that is not there yet; its name is the plugin's
        folder: PathBuf,
        /// In what it is written
        #[arg(long, value_enum)]
        lang: new::Language,
    },
    /// Say whether a module would be taken, and what it asks for; no node is needed
    Check {
        /// The component
        module: PathBuf,
    },
    /// Put one fixture to a module and print what it says; no node is needed
    Run {
        /// The component
        module: PathBuf,
        /// JSON: input, and optionally grants, settings, kv, facts, nowMs, seed
        #[arg(long)]
        fixture: PathBuf,
        /// Print the whole record as JSON
        #[arg(long)]
        record: bool,
    },
    /// Put every fixture of a folder to a module and compare with what each expects; no node is needed
    Test {
        /// The component
        module: PathBuf,
        /// Folder of JSON files, each with `expect`
        fixtures: PathBuf,
    },
    /// Upload a module and publish it under a name and a version
    Publish {
        /// The component
        module: PathBuf,
        /// The plugin's name
        #[arg(long)]
        name: String,
        /// A version that was never used for other bytes
        #[arg(long)]
        version: String,
        #[command(flatten)]
        server: Server,
    },
    /// Print the published modules
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Let a published module decide about arrivals
    Bind(Bind),
    /// Print the bindings
    Bindings {
        #[command(flatten)]
        server: Server,
    },
    /// Let the shadow decide
    Promote(Binding),
    /// Let the module before decide
    Rollback(Binding),
    /// Ask nothing until it is enabled again
    Disable(Binding),
    /// Ask again
    Enable(Binding),
    /// Print the newest calls of a binding
    Calls(Binding),
    /// Make a recorded call again and say whether it is the same bit by bit
    Replay {
        /// API id of the call, as `calls` prints it
        call: String,
        #[command(flatten)]
        server: Server,
    },
    /// Say where another module would have decided otherwise
    Diff {
        /// API id of the binding
        binding: String,
        /// SHA-256 of the other module, in hex
        digest: String,
        /// How many of the last calls, at most 1000
        #[arg(long, default_value_t = 1000)]
        last: u32,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
struct Binding {
    /// API id of the binding, as `bindings` prints it
    binding: String,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Args)]
struct Bind {
    /// SHA-256 of the module, in hex
    digest: String,
    /// API id of the host whose arrivals it decides about
    #[arg(long, conflicts_with = "lobby")]
    host: Option<String>,
    /// API id of the lobby whose arrivals it decides about; the whole tenant's without either
    #[arg(long)]
    lobby: Option<String>,
    /// Bytes of values that it may keep
    #[arg(long, default_value_t = 0)]
    kv_bytes: u64,
    /// It may look facts of its case up
    #[arg(long)]
    facts: bool,
    /// Personal fields that it is told; several with commas: display-name
    #[arg(long, value_delimiter = ',')]
    fields: Vec<String>,
    /// What it is told with every call, as name=value
    #[arg(long = "set", value_parser = plugin::setting)]
    settings: Vec<(String, String)>,
    /// Without a verdict: wait, deny, or route:<queue>
    #[arg(long, default_value = "wait")]
    on_fault: String,
    /// Ask it beside the one that decides, and only write down what it says
    #[arg(long)]
    shadow: bool,
    #[command(flatten)]
    server: Server,
}

pub async fn run(plugin: Plugin) -> Result<()> {
    match plugin.command {
        PluginCommand::New { folder, lang } => new::new(&folder, lang),
        PluginCommand::Check { module } => local::check(&module).await,
        PluginCommand::Run {
            module,
            fixture,
            record,
        } => local::run(&module, &fixture, record).await,
        PluginCommand::Test { module, fixtures } => local::test(&module, &fixtures).await,
        PluginCommand::Publish {
            module,
            name,
            version,
            server,
        } => remote::publish(&client(server)?, &module, &name, &version).await,
        PluginCommand::List { server } => remote::list(&client(server)?).await,
        PluginCommand::Bind(bind) => {
            let wish = remote::Bind {
                digest: bind.digest,
                host: bind.host,
                lobby: bind.lobby,
                kv_bytes: bind.kv_bytes,
                facts: bind.facts,
                fields: bind.fields,
                settings: bind.settings,
                on_fault: bind.on_fault,
                shadow: bind.shadow,
            };
            remote::bind(&client(bind.server)?, wish).await
        }
        PluginCommand::Bindings { server } => remote::bindings(&client(server)?).await,
        PluginCommand::Promote(of) => {
            remote::change(&client(of.server)?, "promotePlugin", &of.binding).await
        }
        PluginCommand::Rollback(of) => {
            remote::change(&client(of.server)?, "rollBackPlugin", &of.binding).await
        }
        PluginCommand::Disable(of) => remote::switch(&client(of.server)?, &of.binding, false).await,
        PluginCommand::Enable(of) => remote::switch(&client(of.server)?, &of.binding, true).await,
        PluginCommand::Calls(of) => remote::calls(&client(of.server)?, &of.binding).await,
        PluginCommand::Replay { call, server } => remote::replay(&client(server)?, &call).await,
        PluginCommand::Diff {
            binding,
            digest,
            last,
            server,
        } => remote::diff(&client(server)?, &binding, &digest, last).await,
    }
}
