//! The table for people and the counts for programs.

use serde_json::{Value, json};

use crate::{callgrind::Count, paths::Path};

/// The table.
pub(crate) fn markdown(counts: &[(&Path, Count)]) -> String {
    let head = "| path | instructions | allocations | a |\n| --- | ---: | ---: | --- |\n".to_owned();
    counts.iter().fold(head, |table, (path, count)| table + &line(path, *count))
}

fn line(Path { name, unit, .. }: &Path, Count { instructions, allocations }: Count) -> String {
    format!("| {name} | {} | {allocations:.2} | {unit} |\n", thousands(instructions))
}

/// `12,345`.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The counts by the paths' keys.
pub(crate) fn json(counts: &[(&Path, Count)]) -> Value {
    let paths = counts.iter().map(|(path, count)| {
        json!({
            "path": path.key,
            "name": path.name,
            "instructions": count.instructions.round(),
            "allocations": (count.allocations * 100.0).round() / 100.0,
            "per": path.unit,
        })
    });
    json!({ "paths": paths.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [9.6, 999.0, 1_000.0, 1_234_567.0].map(thousands),
            ["10", "999", "1,000", "1,234,567"].map(str::to_owned)
        );
    }
}
