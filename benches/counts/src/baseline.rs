//! The counts of an earlier run, and whether a path has become dearer since.

use std::{collections::HashMap, path::Path as File};

use serde_json::Value;

use crate::{Result, callgrind::Count, paths::Path};

/// How much dearer a path may have become: another processor or C library moves counts a little.
const TOLERANCE: f64 = 1.05;

/// What an earlier run counted.
#[derive(Debug, Default)]
pub(crate) struct Baseline(HashMap<String, f64>);

impl Baseline {
    /// Reads what `--json` wrote.
    ///
    /// # Errors
    ///
    /// When there is no such file, or no counts in it.
    pub(crate) fn read(file: &File) -> Result<Self> {
        let text = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Self::of(&serde_json::from_slice(&text)?)
    }

    fn of(before: &Value) -> Result<Self> {
        let rows = before["paths"].as_array().ok_or("a baseline without paths")?;
        let count = |row: &Value| Some((row["path"].as_str()?.to_owned(), row["instructions"].as_f64()?));
        Ok(Self(rows.iter().filter_map(count).collect()))
    }

    /// Whether a path has become dearer, and how much it was. Paths that are new are not.
    pub(crate) fn exceeded(&self, path: &Path, now: Count) -> Option<f64> {
        let before = *self.0.get(path.key)?;
        (now.instructions > before * TOLERANCE).then_some(before)
    }

    /// Compares `counts` with those of the earlier run.
    ///
    /// # Errors
    ///
    /// Names every path that has become dearer.
    pub(crate) fn check(&self, counts: &[(&Path, Count)]) -> Result {
        let dearer = counts.iter().filter_map(|(path, count)| {
            let (before, now) = (self.exceeded(path, *count)?, count.instructions);
            Some(format!("{}: {now:.0} instructions, were {before:.0}", path.key))
        });
        let dearer: Vec<String> = dearer.collect();
        match dearer.is_empty() {
            true => Ok(()),
            false => Err(format!("dearer than before\n{}", dearer.join("\n")).into()),
        }
    }
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
        let error = Baseline::of(&before).unwrap().check(&counts).unwrap_err();
        assert_eq!(error.to_string(), "dearer than before\nencode: 1051 instructions, were 1000");
    }
}
