//! The table for people and the numbers for programs.

use serde_json::{Value, json};

use crate::{
    compare::Series,
    rows::{Base, Row, Target},
    run::Sample,
    standing,
};

/// What the samples of one row come to.
#[derive(Debug)]
struct Summary {
    base: f64,
    lab: f64,
    /// The ratio to T, or what is added.
    change: f64,
    lowest: f64,
    highest: f64,
}

impl Summary {
    fn of(series: &Series) -> Self {
        let values = |samples: &[Sample]| samples.iter().map(|sample| sample.value).collect::<Vec<_>>();
        let (base, lab) = (values(&series.base), values(&series.lab));
        let change = |lab: f64, base: f64| match series.row.must {
            Target::Added(_) => lab - base,
            Target::Ratio(_) | Target::Bytes(_) | Target::Share(_) | Target::More(_) | Target::Report => {
                lab / base
            }
        };
        // Every change is to the other sample of its own round.
        let changes: Vec<f64> = lab.iter().zip(&base).map(|(lab, base)| change(*lab, *base)).collect();
        Self {
            base: median(&base),
            lab: median(&lab),
            change: median(&changes),
            lowest: changes.iter().copied().fold(f64::INFINITY, f64::min),
            highest: changes.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn reaches(&self, row: &Row) -> bool {
        match row.must {
            Target::Ratio(most) | Target::Added(most) => self.change <= most,
            Target::Bytes(most) | Target::Share(most) => self.lab <= most,
            Target::More(most) => self.lab <= self.base + most,
            Target::Report => true,
        }
    }
}

impl Base {
    const ALL: [Self; 3] = [Self::Yardstick, Self::Socketioxide, Self::Without];

    /// The columns of its samples, of Narthex's, and of what is between them.
    fn columns(self) -> [&'static str; 3] {
        match self {
            Self::Yardstick => ["T", "narthex", "ratio to T"],
            Self::Socketioxide => ["plain socketioxide", "narthex", "ratio"],
            Self::Without => ["without", "with", "added"],
        }
    }

    fn head(self) -> String {
        let [base, narthex, change] = self.columns();
        format!(
            "| case | {base} | {narthex} | unit | {change} | lowest to highest | must | reached |\n\
             | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |\n"
        )
    }

    /// What its samples are called in the numbers for programs.
    fn key(self) -> &'static str {
        match self {
            Self::Yardstick => "yardstick",
            Self::Socketioxide => "socketioxide",
            Self::Without => "without",
        }
    }
}

/// The tables, medians of all rounds: one for each thing that is compared with.
pub(crate) fn markdown(all: &[Series]) -> String {
    let table = |base: Base| {
        let lines: String = all.iter().filter(|series| series.row.base() == base).map(line).collect();
        (!lines.is_empty()).then(|| base.head() + &lines)
    };
    Base::ALL.into_iter().filter_map(table).collect::<Vec<_>>().join("\n")
}

fn line(series: &Series) -> String {
    let summary = Summary::of(series);
    let Summary { base, lab, change, lowest, highest } = summary;
    let (digits, must) = match series.row.must {
        Target::Ratio(most) => (2, format!("{most:.2}")),
        Target::Bytes(most) => (0, format!("{most:.0} B")),
        Target::Share(most) => (3, format!("{most:.3} %")),
        Target::Added(most) => (2, format!("{most:.2}")),
        Target::More(most) => (0, format!("{most:.0} B more")),
        Target::Report => (if lab < 1_000.0 { 2 } else { 0 }, "–".to_owned()),
    };
    let reached = match series.row.must {
        Target::Report => "–",
        _ if summary.reaches(&series.row) => "yes",
        _ => "**no**",
    };
    let (name, unit) = (series.row.name, series.row.unit());
    let [change, range] = if change.is_finite() {
        [format!("**{change:.2}**"), format!("{lowest:.2} to {highest:.2}")]
    } else {
        // Nothing has no multiple: T may have used no CPU at all.
        ["–".to_owned(), "–".to_owned()]
    };
    format!(
        "| {name} | {base:.digits$} | {lab:.digits$} | {unit} | {change} | {range} | {must} | {reached} |\n"
    )
}

/// Every sample and the medians.
pub(crate) fn json(all: &[Series]) -> Value {
    let rows = all.iter().map(|series| {
        let summary = Summary::of(series);
        let base = series.row.base().key();
        let change = if series.row.base() == Base::Without { "added" } else { "ratio" };
        let peers = standing::numbers(series);
        let mut all = peers.samples;
        all.insert(base.to_owned(), samples(&series.base).into());
        all.insert("narthex".to_owned(), samples(&series.lab).into());
        json!({
            "case": series.row.name,
            "unit": series.row.unit(),
            base: summary.base,
            "narthex": summary.lab,
            change: summary.change,
            "reached": summary.reaches(&series.row),
            "peers": peers.medians,
            "against": peers.against,
            "samples": all,
        })
    });
    json!({ "rows": rows.collect::<Vec<_>>() })
}

/// Samples for programs.
pub(crate) fn samples(samples: &[Sample]) -> Vec<Value> {
    samples.iter().map(|sample| json!({ "value": sample.value, "detail": sample.detail })).collect()
}

/// The middle of `values`, or between the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => f64::NAN,
        0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    #[test]
    fn the_median_is_the_middle_or_between_the_middles() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn what_is_added_is_the_difference_of_the_two_samples_of_a_round() {
        let samples = |values: [f64; 3]| values.map(|value| Sample { value, detail: json!({}) }).into();
        let row = rows::all(1).into_iter().find(|row| matches!(row.must, Target::Added(_))).unwrap();
        let series =
            Series { row, base: samples([1.0, 2.0, 3.0]), lab: samples([1.1, 2.4, 3.2]), peers: Vec::new() };
        let line =
            "| five empty message layers | 2.00 | 2.40 | µs/msg | **0.20** | 0.10 to 0.40 | 0.30 | yes |";
        assert_eq!(markdown(&[series]).lines().last(), Some(line));
    }

    #[test]
    fn where_the_base_is_nothing_there_is_no_ratio() {
        let samples = |value: f64| [0; 3].map(|_| Sample { value, detail: json!({}) }).into();
        let row = rows::all(1).into_iter().find(|row| matches!(row.must, Target::Share(_))).unwrap();
        let series = Series { row, base: samples(0.0), lab: samples(0.0), peers: Vec::new() };
        let line = "| silence of 10,000 | 0.000 | 0.000 | % of a core | – | – | 0.100 % | yes |";
        assert_eq!(markdown(&[series]).lines().last(), Some(line));
    }
}
