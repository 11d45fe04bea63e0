//! What is drawn, as it is read from the results.
//!
//! A row has a name (`case`), a `unit`, and the medians of those that were measured, each under its name: `narthex`, and
//! `yardstick` (T), `socketioxide`, …; those of peers may lie in an object `peers`. `ratio` is Narthex's to the row's base.
//! A row that is a point of a curve has `curve` (the curve's name), `axis` and `x`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Result;

/// Numbers of a row that are no medians.
const OTHERS: [&str; 8] = ["ratio", "added", "x", "must", "lowest", "highest", "more", "reached"];
/// Narthex's name in the results.
pub(crate) const NARTHEX: &str = "narthex";
/// With what others are compared, the first that a row has.
const BASES: [&str; 2] = ["yardstick", "socketioxide"];

/// What there is to draw.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// Rows with a ratio.
    pub(crate) bars: Vec<Bars>,
    /// Curves, in the order of their first rows.
    pub(crate) curves: Vec<Curve>,
    /// The command; date and machine.
    pub(crate) caption: [String; 2],
}

/// One row.
#[derive(Debug, PartialEq)]
pub(crate) struct Bars {
    /// What was measured.
    pub(crate) case: String,
    /// What the ratios are to.
    pub(crate) base: String,
    /// Whose ratio, and the ratio; Narthex first.
    pub(crate) ratios: Vec<(String, f64)>,
}

/// One curve of several lines.
#[derive(Debug, PartialEq)]
pub(crate) struct Curve {
    /// What was measured.
    pub(crate) name: String,
    /// What grows.
    pub(crate) axis: String,
    /// What the values count.
    pub(crate) unit: String,
    /// Whose line, and its points.
    pub(crate) lines: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Data {
    /// Reads results as `--json` writes them.
    ///
    /// # Errors
    ///
    /// When they have no rows, or a row no name.
    pub(crate) fn read(results: &Value) -> Result<Self> {
        let rows = results["rows"].as_array().ok_or("results without rows")?;
        let mut data = Self { caption: caption(results), ..Self::default() };
        for row in rows {
            let row = row.as_object().ok_or("a row that is no object")?;
            match row.get("curve").and_then(Value::as_str) {
                Some(curve) => data.add_point(curve, row)?,
                None => data.bars.extend(bars(row)?),
            }
        }
        Ok(data)
    }

    fn add_point(&mut self, name: &str, row: &Map<String, Value>) -> Result {
        let x = row.get("x").and_then(Value::as_f64).ok_or_else(|| format!("{name}: a point without x"))?;
        let found = self.curves.iter().position(|curve| curve.name == name);
        let at = found.unwrap_or_else(|| {
            let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (axis, unit, lines) = (text("axis"), text("unit"), BTreeMap::new());
            self.curves.push(Curve { name: name.to_owned(), axis, unit, lines });
            self.curves.len() - 1
        });
        for (who, value) in medians(row) {
            self.curves[at].lines.entry(who).or_default().push((x, value));
        }
        Ok(())
    }
}

/// Everybody's median, Narthex's first.
fn medians(row: &Map<String, Value>) -> Vec<(String, f64)> {
    let peers = row.get("peers").and_then(Value::as_object).into_iter().flatten();
    let own = row.iter().filter(|(key, _)| !OTHERS.contains(&key.as_str()));
    let number = |(key, value): (&String, &Value)| Some((key.clone(), value.as_f64()?));
    let mut medians: Vec<_> = own.chain(peers).filter_map(number).collect();
    medians.sort_by_key(|(who, _)| who != NARTHEX);
    medians
}

/// `None` for a row without a base: what is added to something is no ratio.
fn bars(row: &Map<String, Value>) -> Result<Option<Bars>> {
    let case = row.get("case").and_then(Value::as_str).ok_or("a row without a name")?.to_owned();
    let medians = medians(row);
    let found = BASES.iter().find_map(|base| medians.iter().find(|(who, _)| who == base));
    let Some((base, unit)) = found.cloned() else { return Ok(None) };
    // Narthex's own ratio is the median of all rounds' ratios, which the medians' ratio need not be.
    let own = row.get("ratio").and_then(Value::as_f64);
    let ratio = |(who, value): (String, f64)| match own {
        Some(own) if who == NARTHEX => (who, own),
        _ => (who, value / unit),
    };
    let ratios = medians.into_iter().filter(|(who, _)| *who != base).map(ratio);
    let ratios = ratios.filter(|(_, ratio)| ratio.is_finite() && *ratio > 0.0).collect::<Vec<_>>();
    Ok((!ratios.is_empty()).then_some(Bars { case, base, ratios }))
}

fn caption(results: &Value) -> [String; 2] {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let machine = &results["machine"];
    let parts = [
        text(&results["date"]),
        machine["cores"].as_u64().map(|cores| format!("{cores} cores")),
        text(&machine["processor"]),
        text(&results["rustc"]).map(|rustc| rustc.split(" (").next().unwrap_or_default().to_owned()),
    ];
    let taken = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    [text(&results["command"]).unwrap_or_default(), taken]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bar_is_the_ratio_to_the_rows_base() {
        let rows = json!({ "rows": [
            { "case": "echo", "unit": "µs/msg", "yardstick": 2.0, "narthex": 1.0, "ratio": 0.49, "peers": { "axum": 3.0 } },
            { "case": "layers", "unit": "µs/msg", "without": 1.0, "narthex": 1.2, "added": 0.2 },
        ]});
        let ratios = vec![("narthex".to_owned(), 0.49), ("axum".to_owned(), 1.5)];
        let data = Data::read(&rows).unwrap();
        assert_eq!(data.bars, [Bars { case: "echo".to_owned(), base: "yardstick".to_owned(), ratios }]);
        assert!(data.curves.is_empty());
    }

    #[test]
    fn points_of_one_curve_come_together() {
        let point = |x: u32, narthex: f64| json!({ "case": format!("echo {x}"), "curve": "echo", "axis": "connections", "x": x, "unit": "µs/msg", "yardstick": 4.0, "narthex": narthex });
        let data = Data::read(&json!({ "rows": [point(1, 2.0), point(10, 3.0)] })).unwrap();
        assert_eq!(data.curves.len(), 1);
        assert_eq!(data.curves[0].lines["narthex"], [(1.0, 2.0), (10.0, 3.0)]);
        assert_eq!(data.curves[0].lines["yardstick"], [(1.0, 4.0), (10.0, 4.0)]);
        assert!(data.bars.is_empty());
    }
}
