//! The comparison with the yardstick, built for release.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    step::{cargo, command, run, target},
};

/// Builds generator, lab and peers in one go and hands `options` to the comparison.
///
/// # Errors
///
/// When something does not build or a reply was wrong.
pub(crate) fn run_all(options: &[&str]) -> Result {
    let release = build()?;
    let mut compare = bench(&release, "compare", "cargo xtask bench", options)?;
    compare.arg("--lab").arg(release.join("examples/lab"));
    compare.arg("--peer-program").arg(release.join("narthex-bench-peers"));
    run("compare", compare.args(options))
}

/// The same for the curves.
///
/// # Errors
///
/// As above.
pub(crate) fn curves(options: &[&str]) -> Result {
    let release = build()?;
    let mut curves = bench(&release, "curves", "cargo xtask bench curves", options)?;
    run("curves", curves.arg("--lab").arg(release.join("examples/lab")).args(options))
}

/// The generator, told how it was started: results carry the command that repeats them.
fn bench(release: &Path, what: &str, started: &str, options: &[&str]) -> Result<Command> {
    let mut bench = command(release.join("narthex-benches"), &[what])?;
    bench.env("NARTHEX_BENCH_COMMAND", [&[started], options].concat().join(" "));
    Ok(bench)
}

fn build() -> Result<PathBuf> {
    // One call: two would build the shared dependencies twice, with different features.
    let build = [
        ["build", "--release"].as_slice(),
        &["-p", "narthex-benches", "--bin", "narthex-benches"],
        &["-p", "narthex-bench-peers", "--bin", "narthex-bench-peers"],
        &["-p", "narthex-examples", "--example", "lab"],
    ]
    .concat();
    run("build for release", &mut cargo(&build)?)?;
    Ok(target()?.join("release"))
}
