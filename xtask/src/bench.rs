//! The comparison with the yardstick, built for release.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result, setup,
    step::{cargo, command, run, target},
};

/// Folder of the peers on Node.js, below the root.
const NODE: &str = "benches/peers/node";

/// Builds generator, lab and peers in one go and hands `options` to the comparison.
///
/// # Errors
///
/// When something does not build or a reply was wrong.
pub(crate) fn run_all(options: &[&str]) -> Result {
    if options.iter().any(|option| asks_for_node(option)) {
        setup::npm(NODE)?;
    }
    let release = build()?;
    let mut compare = bench(&release, "compare", "cargo xtask bench", options)?;
    compare.arg("--lab").arg(release.join("examples/lab"));
    compare.arg("--peer-program").arg(release.join("narthex-bench-peers"));
    run("compare", compare.args(options))
}

/// Whether an option of the comparison names peers of which one runs on Node.js.
fn asks_for_node(option: &str) -> bool {
    let of_rust = |peer: &str| ["axum", "axum-default", "fastwebsockets"].contains(&peer);
    match option.strip_prefix("--peers") {
        None => false,
        Some("") => true,
        Some(some) => !some.trim_start_matches('=').split(',').all(of_rust),
    }
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
