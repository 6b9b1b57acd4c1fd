//! What the product costs against the physical limit: both in one run, interleaved, in processes of their own.
//!
//! `cargo run --release -p convene-tests --bin bench -- [booking|fanout|queries|footprint|all] [--rounds N]`. Whatever is not as it should be —
//! a wrong body, a broken socket, a lost or doubled delivery — panics: the run is void and the exit code is not zero.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod bare;
mod booking;
mod fanout;
mod figure;
mod footprint;
mod load;
mod process;
mod product;
mod queries;
mod watch;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Rounds below this say nothing about the spread.
const ROUNDS_MIN: usize = 5;

/// The product against the physical limit.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    bare: Option<Command>,
    /// What to measure
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// Rounds, each with product and limit
    #[arg(long, default_value_t = ROUNDS_MIN)]
    rounds: usize,
    /// The product's binary; built as it is released when left out
    #[arg(long)]
    binary: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Booking,
    Fanout,
    Queries,
    Footprint,
    All,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A limit in a process of its own; the bench starts it
    #[command(hide = true)]
    Bare {
        #[arg(value_enum)]
        limit: Limit,
        /// Where it stores what must be durable
        data: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Limit {
    Booking,
    Fanout,
    Queries,
}

fn main() {
    let cli = Cli::parse();
    // As the product's own runtime.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(Command::Bare { limit, data }) = cli.bare {
        return runtime.block_on(bare::serve(limit, &data));
    }
    assert!(
        cli.rounds >= ROUNDS_MIN,
        "fewer than {ROUNDS_MIN} rounds say nothing about the spread"
    );
    let binary = cli.binary.unwrap_or_else(process::build);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let wanted = |what| cli.what == what || cli.what == What::All;
    runtime.block_on(async {
        if wanted(What::Booking) {
            booking::measure(&binary, cli.rounds).await;
        }
        if wanted(What::Fanout) {
            fanout::measure(&binary, cli.rounds).await;
        }
        if wanted(What::Queries) {
            queries::measure(&binary, cli.rounds).await;
        }
        if wanted(What::Footprint) {
            footprint::measure(&binary, cli.rounds).await;
        }
    });
}
