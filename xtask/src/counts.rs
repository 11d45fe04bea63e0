//! The instruction counts, built for release.

use crate::{
    Result, setup,
    step::{cargo, command, run, target},
};

/// Installs valgrind where it is missing, builds the paths and hands `options` to the count.
///
/// # Errors
///
/// When valgrind cannot be installed, something does not build, an answer was wrong, or a path has become dearer.
pub(crate) fn run_all(options: &[&str]) -> Result {
    setup::debian(&[("valgrind", "valgrind")])?;
    run("build for release", &mut cargo(&["build", "--release", "-p", "narthex-bench-counts"])?)?;
    let counts = target()?.join("release/narthex-bench-counts");
    run("count", command(counts, &[])?.args(options))
}
