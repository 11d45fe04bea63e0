//! What every change must pass.

use crate::{
    Result, hello,
    step::{cargo, run},
    test,
};

/// Features of the facade; each must build alone.
const FEATURES: [&str; 15] = [
    "http",
    "ws",
    "socketio",
    "socketio-eio3",
    "sse-fallback",
    "tls",
    "tls,ws",
    "tls,socketio",
    "auth",
    "validation",
    "rate-limit",
    "metrics",
    "rest",
    "macros",
    "testing",
];

/// Runs all checks, then all tests.
///
/// # Errors
///
/// At the first check that fails.
pub(crate) fn run_all() -> Result {
    run("fmt", &mut cargo(&["fmt", "--all", "--check"])?)?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    run("clippy", &mut cargo(&clippy)?)?;
    features()?;
    hello::run_alone()?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps"])?;
    run("docs", docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    test::run()
}

fn features() -> Result {
    let alone = ["check", "-p", "narthex", "--no-default-features"];
    run("narthex without features", &mut cargo(&alone)?)?;
    for feature in FEATURES {
        let mut check = cargo(&alone)?;
        run(&format!("narthex with {feature} alone"), check.args(["--features", feature]))?;
    }
    Ok(())
}
