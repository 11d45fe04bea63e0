//! The comparison with the yardstick, built for release.

use crate::{
    Result,
    step::{cargo, command, run, target},
};

/// Builds generator and lab in one go and hands `options` to the comparison.
///
/// # Errors
///
/// When something does not build or a reply was wrong.
pub(crate) fn run_all(options: &[&str]) -> Result {
    // One call: two would build the shared dependencies twice, with different features.
    let build = [
        ["build", "--release"].as_slice(),
        &["-p", "narthex-benches", "--bin", "narthex-benches"],
        &["-p", "narthex-bench-peers", "--bin", "narthex-bench-peers"],
        &["-p", "narthex-examples", "--example", "lab"],
    ]
    .concat();
    run("build for release", &mut cargo(&build)?)?;
    let release = target()?.join("release");
    let mut compare = command(release.join("narthex-benches"), &["compare"])?;
    compare.arg("--lab").arg(release.join("examples/lab"));
    compare.arg("--peer-program").arg(release.join("narthex-bench-peers"));
    run("compare", compare.args(options))
}
