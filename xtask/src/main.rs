//! The automation of Narthex.
//!
//! - `cargo xtask test` sets up what is missing and runs every test there is.
//! - `cargo xtask ci` checks format, lints, each feature alone and the docs, then does the same.
//! - `cargo xtask bench [echo] [idle] …` builds for release and compares with the yardstick.
//! - `cargo xtask bench curves` does the same with loads that grow.
//! - `cargo xtask bench counts` counts instructions and allocations of the hot paths with valgrind.
//!
//! It depends on nothing but the standard library, so that it is there within seconds.

mod bench;
mod ci;
mod counts;
mod hello;
mod setup;
mod step;
mod tally;
mod test;

use std::{env, error::Error, process::ExitCode};

/// What a step gives: any failure ends the command and is printed as it is.
type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask <command>

  test                    set up what is missing, run all tests
  ci                      format, lints, each feature alone, docs, then all tests
  bench [echo] [idle] …   compare with the yardstick; `bench --help` lists the options
  bench --peers …         the same, and peers as multiples of Narthex: `--peers=axum,nest`
  bench curves …          how cost grows with connections, rooms, members and message size
  bench counts …          instructions and allocations of the hot paths";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::run(),
        ["ci"] => ci::run_all(),
        ["bench", "curves", options @ ..] => bench::curves(options),
        ["bench", "counts", options @ ..] => counts::run_all(options),
        ["bench", options @ ..] => bench::run_all(options),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
