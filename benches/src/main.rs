//! The load generator and the side-by-side benchmarks of Narthex.
//!
//! - `yardstick` is T: a plain tokio-tungstenite text echo, or a broadcast, what every ratio refers to.
//! - `run` puts one load on one server that already runs, and prints what it cost that server.
//! - `compare` starts yardstick and lab in turn, runs every row on both and prints a Markdown table.
//! - `curves` does the same with loads that grow.
//! - `plot` draws what was written before.
//!
//! The generator is one thread, checks count, order and content of every reply, and stays on loopback.
//! Costs are the server's own: CPU time from the scheduler's accounting, memory from the kernel's page count.

mod broadcast;
mod churn;
mod client;
mod compare;
mod connection;
mod cost;
mod curves;
mod echo;
mod fanout;
mod flood;
mod frame;
mod http;
mod idle;
mod machine;
mod output;
mod peers;
mod plot;
mod points;
mod publication;
mod report;
mod room;
mod rows;
mod run;
mod script;
mod server;
mod silence;
mod socketio;
mod sse;
mod standing;
mod template;
mod turn;
mod yardstick;

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};

/// What a benchmark step gives: any failure ends the benchmark and is printed as it is.
type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug, Parser)]
#[command(name = "narthex-benches", about = "Load generator and side-by-side benchmarks", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve T, the plain tokio-tungstenite echo; prints `ready <addr>`.
    Yardstick(yardstick::Args),
    /// Put one load on a running server and print its cost.
    Run(run::Args),
    /// Start yardstick and lab, run the rows on both in turn, print the table.
    Compare(compare::Args),
    /// Let loads grow, on both in turn, and print how cost grows with them.
    Curves(curves::Args),
    /// Draw results that were written before.
    Plot(plot::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Yardstick(args) => yardstick::serve(&args),
        Command::Run(args) => run::run(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Curves(args) => curves::curves(&args),
        Command::Plot(args) => plot::plot(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
