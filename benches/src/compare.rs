//! The side-by-side run: yardstick and lab in turn, row by row, round by round.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::{
    Result,
    client::Target,
    connection::Wire,
    cost,
    output::Output,
    report,
    rows::{self, Base, Group, Load, Row},
    run::{self, Sample},
    script::Reply,
    server::Server,
};

/// What to compare.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Groups of rows to run; all unless given.
    #[arg(value_enum)]
    groups: Vec<Group>,
    /// The built example `lab`.
    #[arg(long)]
    lab: PathBuf,
    /// The built `narthex-bench-peers`.
    #[arg(long)]
    peer_program: PathBuf,
    /// Rounds; the table shows medians.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(3..=25))]
    runs: u16,
    /// Connections of the idle rows.
    #[arg(long, default_value_t = 5_000)]
    idle_connections: usize,
    #[command(flatten)]
    output: Output,
}

/// All samples of one row, a pair a round.
#[derive(Debug)]
pub(crate) struct Series {
    /// The row.
    pub(crate) row: Row,
    /// What it is compared with: T, or Narthex without the row's flags.
    pub(crate) base: Vec<Sample>,
    /// What Narthex gave.
    pub(crate) lab: Vec<Sample>,
}

/// Runs every chosen row and prints the table.
pub(crate) fn compare(args: &Args) -> Result {
    let chosen = |row: &Row| args.groups.is_empty() || args.groups.contains(&row.group());
    let mut series: Vec<Series> = rows::all(args.idle_connections)
        .into_iter()
        .filter(chosen)
        .map(|row| Series { row, base: Vec::new(), lab: Vec::new() })
        .collect();
    rounds(&mut series, args.runs, &args.lab, Some(&args.peer_program))?;
    print!("{}", report::markdown(&series));
    args.output.write(report::json(&series))
}

/// Takes a pair of samples for each row and round; `peers` is for rows that are not compared with T.
pub(crate) fn rounds(series: &mut [Series], runs: u16, lab_program: &Path, peers: Option<&Path>) -> Result {
    // Better said before the minutes that the first rows take.
    cost::require_files(series.iter().map(|series| series.row.connections()).max().unwrap_or(0))?;
    let yardstick = std::env::current_exe()?;
    for round in 1..=runs {
        for series in &mut *series {
            eprintln!("round {round} of {runs}: {}", series.row.name);
            let row = series.row;
            let base = || match row.base() {
                Base::Without => lab(lab_program, &Row { flags: &[], ..row }),
                Base::Socketioxide => {
                    let program = peers.ok_or("no program with the peers")?;
                    peer(program, "socketioxide", &Row { reply: Reply::AnyPacket, ..row })
                }
                Base::Yardstick => plain(&yardstick, &row),
            };
            // Taking turns at going first keeps the machine's drift out of the comparison.
            if round % 2 == 0 {
                series.lab.push(lab(lab_program, &row)?);
                series.base.push(base()?);
            } else {
                series.base.push(base()?);
                series.lab.push(lab(lab_program, &row)?);
            }
        }
    }
    Ok(())
}

/// One sample of T: the same bytes, echoed or sent to all of a path; it knows no other rooms.
fn plain(program: &Path, row: &Row) -> Result<Sample> {
    let mut args = vec!["yardstick", "--addr", "127.0.0.1:0"];
    let load = match row.load {
        Load::Idle(load) => Load::Idle(crate::idle::Idle { room: false, ..load }),
        rooms @ (Load::FanOut(_) | Load::Slow(_)) => {
            args.push("--broadcast");
            rooms
        }
        other => other,
    };
    let server = Server::start(program, &args)?;
    let target = Target { addr: server.addr(), path: "/".to_owned(), wire: Wire::Ws };
    run::sample(load, &target, Reply::Same, server.pid())
        .map_err(|error| format!("yardstick, {}: {error}", row.name).into())
}

/// One sample of Narthex.
fn lab(program: &Path, row: &Row) -> Result<Sample> {
    let flags = [&["--addr", "127.0.0.1:0", "--doors", row.wire.door()], row.flags].concat();
    let server = Server::start(program, &flags)?;
    measure("lab", &server, row)
}

/// One sample of another server that is spoken to as the lab is.
fn peer(program: &Path, name: &str, row: &Row) -> Result<Sample> {
    let server = Server::start(program, &[name, "--addr", "127.0.0.1:0"])?;
    measure(name, &server, row)
}

fn measure(name: &str, server: &Server, row: &Row) -> Result<Sample> {
    let target = Target { addr: server.addr(), path: row.path.to_owned(), wire: row.wire };
    run::sample(row.load, &target, row.reply, server.pid())
        .map_err(|error| format!("{name}, {}: {error}", row.name).into())
}
