//! `convene workflow`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use convene_kit::Result;

use crate::command::workflow;

#[derive(Debug, Args)]
pub struct Workflow {
    #[command(subcommand)]
    command: WorkflowCommand,
}

#[derive(Debug, Subcommand)]
enum WorkflowCommand {
    /// Say what is wrong with definitions, with line and remedy
    Check {
        /// YAML or JSON files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// List workflows to begin with, or print one: convene workflow template no-show > no-show.yaml
    Template {
        /// Which one
        name: Option<String>,
    },
}

/// Runs it.
pub fn run(wanted: Workflow) -> Result<()> {
    match wanted.command {
        WorkflowCommand::Check { files } => workflow::check(&files),
        WorkflowCommand::Template { name } => workflow::template(name.as_deref()),
    }
}
