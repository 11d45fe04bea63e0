//! The table for people and the numbers for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    compare::Series,
    rows::{Row, Target},
    run::Sample,
};

/// What the samples of one row come to.
#[derive(Debug)]
struct Summary {
    yardstick: f64,
    lab: f64,
    ratio: f64,
    lowest: f64,
    highest: f64,
}

impl Summary {
    fn of(series: &Series) -> Self {
        let values = |samples: &[Sample]| samples.iter().map(|sample| sample.value).collect::<Vec<_>>();
        let (yardstick, lab) = (values(&series.yardstick), values(&series.lab));
        // Every ratio is to the T of its own round.
        let ratios: Vec<f64> = lab.iter().zip(&yardstick).map(|(lab, t)| lab / t).collect();
        Self {
            yardstick: median(&yardstick),
            lab: median(&lab),
            ratio: median(&ratios),
            lowest: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            highest: ratios.iter().copied().fold(0.0, f64::max),
        }
    }

    fn reaches(&self, row: &Row) -> bool {
        match row.must {
            Target::Ratio(most) => self.ratio <= most,
            Target::Bytes(most) => self.lab <= most,
        }
    }
}

/// The table, medians of all rounds.
pub(crate) fn markdown(all: &[Series]) -> String {
    let mut table = String::from(
        "| case | T | narthex | unit | ratio to T | lowest to highest | must | reached |\n\
         | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |\n",
    );
    for series in all {
        let summary = Summary::of(series);
        let Summary { yardstick, lab, ratio, lowest, highest } = summary;
        let digits = match series.row.must {
            Target::Ratio(_) => 2,
            Target::Bytes(_) => 0,
        };
        let must = match series.row.must {
            Target::Ratio(most) => format!("{most:.2} T"),
            Target::Bytes(most) => format!("{most:.0} B"),
        };
        let reached = if summary.reaches(&series.row) { "yes" } else { "**no**" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {yardstick:.digits$} | {lab:.digits$} | {} | **{ratio:.2}** | {lowest:.2} to {highest:.2} | {must} | {reached} |",
            series.row.name,
            series.row.unit(),
        );
    }
    table
}

/// Every sample and the medians.
pub(crate) fn json(all: &[Series]) -> Value {
    let samples = |samples: &[Sample]| -> Vec<Value> {
        samples.iter().map(|sample| json!({ "value": sample.value, "detail": sample.detail })).collect()
    };
    let rows = all.iter().map(|series| {
        let summary = Summary::of(series);
        json!({
            "case": series.row.name,
            "unit": series.row.unit(),
            "yardstick": summary.yardstick,
            "narthex": summary.lab,
            "ratio": summary.ratio,
            "reached": summary.reaches(&series.row),
            "samples": { "yardstick": samples(&series.yardstick), "narthex": samples(&series.lab) },
        })
    });
    json!({ "rows": rows.collect::<Vec<_>>() })
}

fn median(values: &[f64]) -> f64 {
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

    #[test]
    fn the_median_is_the_middle_or_between_the_middles() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
