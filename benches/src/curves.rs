//! Curves: how cost grows with connections, rooms, members and message size, Narthex beside T.

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use crate::{
    Result,
    compare::{self, Series},
    output::Output,
    peers::Programs,
    points::{self, Point},
    report,
};

/// Which curves to take.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// What grows; all unless given.
    #[arg(value_enum)]
    axes: Vec<Axis>,
    #[command(flatten)]
    programs: Programs,
    /// Rounds; a point is the median.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=25))]
    runs: u16,
    /// Points with more connections are left out.
    #[arg(long, default_value_t = 10_000)]
    most_connections: usize,
    #[command(flatten)]
    output: Output,
}

/// What grows along a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Axis {
    /// Connections that echo.
    Connections,
    /// Rooms of ten.
    Rooms,
    /// Members of one room.
    Members,
    /// Bytes of an echoed message.
    Size,
}

impl Axis {
    /// What stands below the curve.
    fn label(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Rooms => "rooms of ten members",
            Self::Members => "members of the room",
            Self::Size => "bytes of a message",
        }
    }
}

/// Takes every chosen point and prints a table for each curve.
pub(crate) fn curves(args: &Args) -> Result {
    let chosen = |point: &Point| {
        (args.axes.is_empty() || args.axes.contains(&point.axis))
            && point.row.connections() <= args.most_connections
    };
    let points: Vec<Point> = points::all().into_iter().filter(chosen).collect();
    let mut series: Vec<Series> = points.iter().map(|point| Series::new(point.row, &[])).collect();
    compare::rounds(&mut series, args.runs, &args.programs)?;
    let results = json(&points, &series);
    print!("{}", markdown(&results)?);
    args.output.write(results)
}

/// The same numbers as of a comparison; each row says on which curve it lies, and where.
fn json(points: &[Point], series: &[Series]) -> Value {
    let mut results = report::json(series);
    let rows = results["rows"].as_array_mut().into_iter().flatten();
    for (row, point) in rows.zip(points) {
        row["case"] = json!(format!("{}, {} {}", point.row.name, point.x, point.axis.label()));
        row["curve"] = json!(point.row.name);
        row["axis"] = json!(point.axis.label());
        row["x"] = json!(point.x);
        // A curve shows growth; what must be reached is the comparison's.
        if let Some(row) = row.as_object_mut() {
            row.remove("reached");
        }
    }
    results
}

/// A table for each curve, in the order of their first points.
fn markdown(results: &Value) -> Result<String> {
    let (mut out, mut last) = (String::new(), "");
    for row in results["rows"].as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().ok_or_else(|| format!("a point without {key}"));
        let curve = text("curve")?;
        if curve != last {
            let space = if last.is_empty() { "" } else { "\n" };
            let axis = text("axis")?;
            out += &format!("{space}{curve}, {}\n\n", text("unit")?);
            out += &format!("| {axis} | T | narthex | ratio |\n| ---: | ---: | ---: | ---: |\n");
            last = curve;
        }
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let (base, narthex, ratio) = (number("yardstick"), number("narthex"), number("ratio"));
        out += &format!("| {} | {base:.2} | {narthex:.2} | {ratio:.2} |\n", row["x"]);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Sample;

    #[test]
    fn every_point_says_on_which_curve_it_lies() {
        let points: Vec<Point> = points::all().into_iter().take(2).collect();
        let samples = |value: f64| vec![Sample { value, detail: json!({}) }];
        let series: Vec<Series> = points
            .iter()
            .map(|point| Series { row: point.row, base: samples(4.0), lab: samples(3.0), peers: Vec::new() })
            .collect();
        let results = json(&points, &series);
        assert_eq!(results["rows"][1]["x"], 10);
        assert_eq!(results["rows"][1]["curve"], "echo, window 1");
        assert_eq!(results["rows"][1]["axis"], "connections");
        assert_eq!(results["rows"][1]["ratio"], 0.75);
        let table = "echo, window 1, µs/msg\n\n\
            | connections | T | narthex | ratio |\n| ---: | ---: | ---: | ---: |\n\
            | 1 | 4.00 | 3.00 | 0.75 |\n| 10 | 4.00 | 3.00 | 0.75 |\n";
        assert_eq!(markdown(&results).unwrap(), table);
    }
}
