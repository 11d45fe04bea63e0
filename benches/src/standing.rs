//! How Narthex stands to its peers: tables of ratios, and the same for programs.

use serde_json::{Map, Value, json};

use crate::{
    compare::Series,
    connection::Wire,
    peers::Peer,
    report::{median, samples},
    run::Sample,
};

/// What a peer used, as multiples of what Narthex used in the same round.
#[derive(Debug)]
struct Standing {
    median: f64,
    ratio: f64,
    lowest: f64,
    highest: f64,
}

impl Standing {
    fn of(series: &Series, peer: &[Sample]) -> Self {
        let rounds = peer.iter().zip(&series.lab);
        let ratios: Vec<f64> = rounds.map(|(peer, lab)| peer.value / lab.value).collect();
        Self {
            median: median(&peer.iter().map(|sample| sample.value).collect::<Vec<_>>()),
            ratio: median(&ratios),
            lowest: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            highest: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// A table for each wire, with a column for each peer, and a line for each bound.
pub(crate) fn markdown(all: &[Series]) -> String {
    let tables = [Wire::Ws, Wire::SocketIo].into_iter().filter_map(|wire| table(all, wire));
    let bounds: String = all.iter().flat_map(bounds).collect();
    tables.chain((!bounds.is_empty()).then_some(bounds)).collect::<Vec<_>>().join("\n")
}

fn table(all: &[Series], wire: Wire) -> Option<String> {
    let rows: Vec<&Series> =
        all.iter().filter(|series| series.row.wire == wire && !series.peers.is_empty()).collect();
    let peers: Vec<Peer> = rows.first()?.peers.iter().map(|(peer, _)| *peer).collect();
    let names: String = peers.iter().map(|peer| format!(" {} |", peer.name())).collect();
    let rules = " ---: |".repeat(peers.len());
    let lines: String = rows.into_iter().map(|series| line(series, &peers)).collect();
    Some(format!("| peer / narthex | narthex | unit |{names}\n| --- | ---: | --- |{rules}\n{lines}"))
}

fn line(series: &Series, peers: &[Peer]) -> String {
    let lab = median(&series.lab.iter().map(|sample| sample.value).collect::<Vec<_>>());
    let cell = |peer: &Peer| match series.peers.iter().find(|(other, _)| other == peer) {
        Some((_, samples)) => format!(" {:.1} |", Standing::of(series, samples).ratio),
        None => " |".to_owned(),
    };
    let cells: String = peers.iter().map(cell).collect();
    let digits = if lab < 100.0 { 2 } else { 0 };
    format!("| {} | {lab:.digits$} | {} |{cells}\n", series.row.name, series.row.unit())
}

fn bounds(series: &Series) -> Vec<String> {
    let bound = |(peer, samples): &(Peer, Vec<Sample>)| {
        let must = peer.must(&series.row)?;
        let Standing { ratio, lowest, highest, .. } = Standing::of(series, samples);
        let reached = if ratio >= must { "yes" } else { "**no**" };
        Some(format!(
            "- {} / narthex, {}: **{ratio:.1} times** ({lowest:.1} to {highest:.1}), must {must:.0}: {reached}\n",
            peer.name(),
            series.row.name,
        ))
    };
    series.peers.iter().filter_map(bound).collect()
}

/// What a row says about its peers: their medians, what they are to Narthex's, and every sample.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Medians, by peer.
    pub(crate) medians: Map<String, Value>,
    /// Multiples of Narthex's, by peer.
    pub(crate) against: Map<String, Value>,
    /// Every sample, by peer.
    pub(crate) samples: Map<String, Value>,
}

/// The same for programs.
pub(crate) fn numbers(series: &Series) -> Numbers {
    let mut numbers = Numbers::default();
    for (peer, all) in &series.peers {
        let Standing { median, ratio, lowest, highest } = Standing::of(series, all);
        let must = peer.must(&series.row);
        let standing = json!({
            "name": peer.name(),
            "ratio": ratio,
            "lowest": lowest,
            "highest": highest,
            "must": must,
            "reached": must.map(|must| ratio >= must),
        });
        numbers.medians.insert(peer.key(), median.into());
        numbers.against.insert(peer.key(), standing);
        numbers.samples.insert(peer.key(), samples(all).into());
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    /// Echo at window 16, on Narthex and on two peers.
    fn series() -> Series {
        let samples = |values: [f64; 3]| values.map(|value| Sample { value, detail: json!({}) }).into();
        let row = rows::all(1).into_iter().find(|row| Peer::Nest.must(row) == Some(14.0)).unwrap();
        let mut series = Series::new(row, &[Peer::Axum, Peer::Nest]);
        series.lab = samples([1.0, 1.0, 2.0]);
        series.peers[0].1 = samples([2.0, 3.0, 2.0]);
        series.peers[1].1 = samples([15.0, 16.0, 20.0]);
        series
    }

    #[test]
    fn each_peer_is_a_multiple_of_narthex_in_its_own_round() {
        let text = markdown(&[series()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "| peer / narthex | narthex | unit | axum ws, 4 KiB buffers | NestJS platform-ws |"
        );
        assert_eq!(lines[2], "| echo, window 16 | 1.00 | µs/msg | 2.0 | 15.0 |");
        let bound =
            "- NestJS platform-ws / narthex, echo, window 16: **15.0 times** (10.0 to 16.0), must 14: yes";
        assert_eq!(lines.last(), Some(&bound));
    }

    #[test]
    fn programs_read_medians_and_multiples_by_the_names_of_the_command_line() {
        let numbers = numbers(&series());
        assert_eq!(numbers.medians["nest"], 16.0);
        assert_eq!(numbers.against["nest"]["ratio"], 15.0);
        assert_eq!(numbers.against["nest"]["reached"], true);
        assert_eq!(numbers.against["axum"]["must"], Value::Null);
    }
}
