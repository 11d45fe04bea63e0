//! The counts of an earlier run, and whether a path has become dearer since.

use std::{collections::HashMap, path::Path as File};

use serde_json::Value;

use crate::{Result, callgrind::Count, paths::Path};

/// How much dearer a path may have become: another processor or C library moves counts a little.
const TOLERANCE: f64 = 1.05;

/// Compares `counts` with those in `file`. Paths that it does not know are new, and pass.
///
/// # Errors
///
/// Names every path that has become dearer.
pub(crate) fn check(file: &File, counts: &[(&Path, Count)]) -> Result {
    let before: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let dearer = dearer(&before, counts);
    match dearer.is_empty() {
        true => Ok(()),
        false => Err(format!("dearer than in {}:\n{}", file.display(), dearer.join("\n")).into()),
    }
}

fn dearer(before: &Value, counts: &[(&Path, Count)]) -> Vec<String> {
    let rows = before["paths"].as_array().into_iter().flatten();
    let before: HashMap<&str, f64> =
        rows.filter_map(|row| Some((row["path"].as_str()?, row["instructions"].as_f64()?))).collect();
    let dearer = counts.iter().filter_map(|(path, count)| {
        let (now, then) = (count.instructions, *before.get(path.key)?);
        (now > then * TOLERANCE).then(|| format!("{}: {now:.0} instructions, were {then:.0}", path.key))
    });
    dearer.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::paths;

    #[test]
    fn only_what_is_over_five_percent_dearer_is_named() {
        let before = json!({ "paths": [
            { "path": "decode", "instructions": 1_000 },
            { "path": "encode", "instructions": 1_000 },
        ]});
        let path = |key| paths::all().iter().find(|path| path.key == key).unwrap();
        let count = |instructions| Count { instructions, allocations: 0.0 };
        let counts =
            [(path("decode"), count(1_049.0)), (path("encode"), count(1_051.0)), (path("emit"), count(9.0))];
        assert_eq!(dearer(&before, &counts), ["encode: 1051 instructions, were 1000"]);
    }
}
