//! Instructions and allocations of the hot paths, counted with valgrind's callgrind.
//!
//! Counts do not depend on what else the machine does: they tell a change of a few percent where times tell noise. They
//! see user space alone, not the kernel and not the caches.
//!
//! `narthex-bench-counts` runs itself once a path under callgrind, which counts only while
//! [`section::counted`](crate::section) is on the stack: what comes before and after costs nothing. `work <path>` is such
//! a run by itself; its output can be looked into with `callgrind_annotate` where `--keep` names a folder.

mod baseline;
mod callgrind;
mod desk;
mod direct;
mod doors;
mod loopback;
mod paths;
mod room;
mod section;
mod table;
mod talk;

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::baseline::Baseline;

/// What a step gives: any failure ends the benchmark and is printed as it is.
type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The committed counts, from the root of the workspace.
const BASELINE: &str = "docs/bench/counts.json";

#[derive(Debug, Parser)]
#[command(about = "Instructions and allocations of the hot paths, counted with callgrind", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Walk one path, for callgrind to count it.
    Work {
        /// Its key, as `--only` takes it.
        path: String,
    },
}

/// What is counted, and what becomes of it.
#[derive(Debug, clap::Args)]
struct Options {
    /// Count only the paths whose keys contain this.
    #[arg(long)]
    only: Option<String>,
    /// Also write the counts to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Fail where a path needs over 5 % more instructions than this file says.
    #[arg(long, num_args = 0..=1, default_missing_value = BASELINE)]
    check: Option<PathBuf>,
    /// Leave callgrind's files in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(Command::Work { path }) => paths::work(path),
        None => count(&cli.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count(options: &Options) -> Result {
    let before = options.check.as_deref().map(Baseline::read).transpose()?.unwrap_or_default();
    let mut counts = Vec::new();
    for path in paths::all() {
        if options.only.as_ref().is_none_or(|part| path.key.contains(part.as_str())) {
            eprintln!("counting {}", path.key);
            let count = || callgrind::count(path.key, options.keep.as_deref());
            let mut counted = count()?;
            if before.exceeded(path, counted).is_some() {
                // On a machine under load the threads of a path meet differently now and then.
                counted = counted.min(count()?);
            }
            counts.push((path, counted));
        }
    }
    print!("{}", table::markdown(&counts));
    if let Some(file) = &options.json {
        std::fs::write(file, format!("{:#}\n", table::json(&counts)))?;
    }
    before.check(&counts)
}
