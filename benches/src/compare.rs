//! The side-by-side run: yardstick and lab in turn, row by row, round by round.

use clap::Parser;

use crate::{
    Result,
    client::Target,
    connection::Wire,
    cost,
    output::Output,
    peers::{Peer, Programs},
    report,
    rows::{self, Base, Group, Load, Row},
    run::{self, Sample},
    script::Reply,
    server::Server,
    standing,
};

/// What to compare.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Groups of rows to run; all unless given.
    #[arg(value_enum)]
    groups: Vec<Group>,
    #[command(flatten)]
    programs: Programs,
    /// Also measure peers, all or these: `--peers`, `--peers=axum,nest`.
    #[arg(long, value_enum, value_delimiter = ',', num_args = 0.., require_equals = true)]
    peers: Option<Vec<Peer>>,
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
    /// What each peer gave.
    pub(crate) peers: Vec<(Peer, Vec<Sample>)>,
}

impl Series {
    /// No samples yet; of `peers` those take part that can.
    pub(crate) fn new(row: Row, peers: &[Peer]) -> Self {
        let peers = peers.iter().filter(|peer| peer.faces(&row));
        let peers = peers.map(|peer| (*peer, Vec::new())).collect();
        Self { row, base: Vec::new(), lab: Vec::new(), peers }
    }

    /// One sample of each.
    fn take(&mut self, programs: &Programs, backwards: bool) -> Result {
        if backwards {
            for (peer, samples) in self.peers.iter_mut().rev() {
                samples.push(peer.sample(programs, &self.row)?);
            }
            self.lab.push(lab(programs, &self.row)?);
            self.base.push(base(programs, &self.row)?);
        } else {
            self.base.push(base(programs, &self.row)?);
            self.lab.push(lab(programs, &self.row)?);
            for (peer, samples) in &mut self.peers {
                samples.push(peer.sample(programs, &self.row)?);
            }
        }
        Ok(())
    }
}

/// Runs every chosen row and prints the table.
pub(crate) fn compare(args: &Args) -> Result {
    let chosen = |row: &Row| args.groups.is_empty() || args.groups.contains(&row.group());
    let peers = match &args.peers {
        None => &[],
        Some(all) if all.is_empty() => Peer::ALL.as_slice(),
        Some(some) => some,
    };
    let mut series: Vec<Series> = rows::all(args.idle_connections)
        .into_iter()
        .filter(chosen)
        .map(|row| Series::new(row, peers))
        .collect();
    rounds(&mut series, args.runs, &args.programs)?;
    print!("{}", report::markdown(&series));
    if !peers.is_empty() {
        print!("\n{}", standing::markdown(&series));
    }
    args.output.write(report::json(&series))
}

/// Takes a sample of everybody for each row and round.
pub(crate) fn rounds(series: &mut [Series], runs: u16, programs: &Programs) -> Result {
    // Better said before the minutes that the first rows take.
    cost::require_files(series.iter().map(|series| series.row.connections()).max().unwrap_or(0))?;
    for round in 1..=runs {
        for series in &mut *series {
            eprintln!("round {round} of {runs}: {}", series.row.name);
            // Taking turns at going first keeps the machine's drift out of the comparison.
            series.take(programs, round % 2 == 0)?;
        }
    }
    Ok(())
}

/// One sample of what Narthex is compared with.
fn base(programs: &Programs, row: &Row) -> Result<Sample> {
    match row.base() {
        Base::Without => lab(programs, &Row { flags: &[], ..*row }),
        Base::Yardstick => plain(row),
        Base::Socketioxide => {
            let server = programs.socketioxide()?;
            measure("socketioxide", &server, &Row { reply: Reply::AnyPacket, ..*row })
        }
    }
}

/// One sample of T: the same bytes, echoed or sent to all of a path; it knows no other rooms.
fn plain(row: &Row) -> Result<Sample> {
    let mut args = vec!["yardstick", "--addr", "127.0.0.1:0"];
    let load = match row.load {
        Load::Idle(load) => Load::Idle(crate::idle::Idle { room: false, ..load }),
        rooms @ (Load::FanOut(_) | Load::Slow(_)) => {
            args.push("--broadcast");
            rooms
        }
        other => other,
    };
    let server = Server::start(&std::env::current_exe()?, &args)?;
    let target = Target { addr: server.addr(), path: "/".to_owned(), wire: Wire::Ws };
    run::sample(load, &target, Reply::Same, server.pid())
        .map_err(|error| format!("yardstick, {}: {error}", row.name).into())
}

/// One sample of Narthex.
fn lab(programs: &Programs, row: &Row) -> Result<Sample> {
    let flags = [&["--addr", "127.0.0.1:0", "--doors", row.wire.door()], row.flags].concat();
    let server = Server::start(&programs.lab, &flags)?;
    measure("lab", &server, row)
}

fn measure(name: &str, server: &Server, row: &Row) -> Result<Sample> {
    let target = Target { addr: server.addr(), path: row.path.to_owned(), wire: row.wire };
    run::sample(row.load, &target, row.reply, server.pid())
        .map_err(|error| format!("{name}, {}: {error}", row.name).into())
}
