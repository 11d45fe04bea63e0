//! Counting tests by the summary lines of the runners, which pass through unchanged.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use crate::{Result, step};

/// How many tests there were.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed or were cut off.
    pub(crate) failed: u64,
    /// Tests that were not run.
    pub(crate) skipped: u64,
}

impl Tally {
    /// Counts one line of a runner; any but a summary line counts nothing.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|line| line.split_once(". ")) {
            for count in counts.split("; ") {
                if let Some((number, what)) = count.split_once(' ') {
                    self.add(what, number);
                }
            }
        } else if let Some((what, number)) = line.strip_prefix("ℹ ").and_then(|line| line.split_once(' ')) {
            self.add(what, number);
        }
    }

    fn add(&mut self, what: &str, number: &str) {
        let Ok(number) = number.trim().parse::<u64>() else { return };
        match what {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "cancelled" => self.failed += number,
            "ignored" | "skipped" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

/// Announces and runs a test runner, adding its counts to `tally`; true when the runner was content.
///
/// # Errors
///
/// When it cannot be started.
pub(crate) fn run(name: &str, command: &mut Command, tally: &mut Tally) -> Result<bool> {
    step::announce(name);
    let mut runner = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("{name}: {error}"))?;
    let mut output = BufReader::new(runner.stdout.take().ok_or("the runner has no output")?);
    let (mut line, mut stdout) = (Vec::new(), std::io::stdout().lock());
    // Bytes, since a test may print what is no UTF-8.
    while output.read_until(b'\n', &mut line)? > 0 {
        stdout.write_all(&line)?;
        tally.read(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    stdout.flush()?;
    Ok(runner.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_cargo_test_counts() {
        let mut tally = Tally::default();
        tally.read(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
        );
        tally.read("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(tally, Tally { passed: 14, failed: 1, skipped: 1 });
    }

    #[test]
    fn the_summary_of_node_counts() {
        let mut tally = Tally::default();
        for line in
            ["ℹ tests 9", "ℹ suites 2", "ℹ pass 5", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 2", "ℹ todo 0"]
        {
            tally.read(line);
        }
        assert_eq!(tally, Tally { passed: 5, failed: 2, skipped: 2 });
    }

    #[test]
    fn other_lines_count_nothing() {
        let mut tally = Tally::default();
        tally.read("ℹ duration_ms 12.5");
        tally.read("test a_result::passed ... ok");
        assert_eq!(tally, Tally::default());
    }
}
