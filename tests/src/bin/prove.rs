//! `prove`: plays seeded random histories against the real thing and checks the promises from outside.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use convene_tests::prove::{Promise, Store, Wanted, prove, sandbox};

/// Seeded random histories with faults, kills and clock moves against the real binary; independent checkers read public APIs, the provider's own
/// word, logs and audit trails.
#[derive(Parser)]
struct Arguments {
    /// `all`, or promises: I1 … I7, and `sandbox`: every hostile plugin there is.
    #[arg(required = true)]
    promises: Vec<String>,
    /// Histories for each promise.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replays this history alone.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// How many of a hundred histories strike the house: kill a process; with PostgreSQL also cut it off from the others or from the database.
    #[arg(long, default_value_t = 4)]
    kills: u64,
    /// `sqlite`: the house is one process. `postgres`: two processes for every role, in a database of its own on the server that TEST_POSTGRES
    /// names, or the one at 127.0.0.1:5432.
    #[arg(long, default_value = "sqlite")]
    database: Store,
    /// Keeps what the processes are configured with and log in this folder, which is made when it is not there.
    #[arg(long)]
    logs: Option<PathBuf>,
    /// The product; built beside this program unless named.
    #[arg(long)]
    binary: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = match wanted(&arguments) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    // A house for nobody need not be built.
    let rows = if wanted.promises.is_empty() {
        Ok(Vec::new())
    } else {
        runtime.block_on(prove(&wanted, |line| eprintln!("{line}")))
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let where_else = match wanted.store {
        Store::Sqlite => "",
        Store::Postgres => " --database postgres",
    };
    let mut failed = 0;
    for row in &rows {
        let per_second = row.seeds as f64 * 1_000.0 / row.millis.max(1) as f64;
        eprintln!("{}: {per_second:.1} seeds a second", row.promise);
        for (seed, what) in &row.violations {
            println!("  seed {seed}: {what}");
            println!(
                "    replay: prove {} --seed {seed}{where_else}",
                row.promise
            );
        }
        println!("{row}");
        failed += usize::from(!row.violations.is_empty());
    }
    let mut played = rows.len();
    if asks_for(&arguments, SANDBOX) {
        match runtime.block_on(sandbox(&wanted, |line| eprintln!("{line}"))) {
            Ok(tried) => {
                for what in &tried.violations {
                    println!("  {what}");
                }
                println!("{tried}");
                played += 1;
                failed += usize::from(!tried.violations.is_empty());
            }
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::from(2);
            }
        }
    }
    println!("{} passed, {failed} failed", played - failed);
    ExitCode::from(u8::from(failed > 0))
}

const SANDBOX: &str = "sandbox";

/// Whether a row is asked for by its name, or with all.
fn asks_for(arguments: &Arguments, row: &str) -> bool {
    let mut asked = arguments.promises.iter();
    asked.any(|one| one == row || one == "all")
}

fn wanted(arguments: &Arguments) -> Result<Wanted, String> {
    let promises = match arguments.promises.as_slice() {
        [all] if all == "all" => Promise::ALL.to_vec(),
        some => some
            .iter()
            .filter(|one| *one != SANDBOX)
            .map(|one| one.parse())
            .collect::<Result<_, _>>()?,
    };
    let beside = || {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        Ok::<_, String>(own.with_file_name("convene"))
    };
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => beside()?,
    };
    if !binary.is_file() {
        return Err(format!(
            "there is no {}; build it with `cargo build -p convene`, or name one with --binary",
            binary.display()
        ));
    }
    Ok(Wanted {
        promises,
        from: arguments.seed.unwrap_or(arguments.from),
        seeds: if arguments.seed.is_some() {
            1
        } else {
            arguments.seeds
        },
        strike_percent: arguments.kills,
        store: arguments.database,
        logs: arguments.logs.clone(),
        binary,
    })
}
