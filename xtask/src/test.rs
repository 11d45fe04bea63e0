//! All tests: those of the workspace, then those of the real clients.

use std::{fs, process::Command};

use crate::{
    Result,
    setup::{self, CLIENTS},
    step::{self, cargo, command, root, target},
    tally::{self, Tally},
};

/// The examples that the clients talk to.
const EXAMPLES: [&str; 7] = ["chat", "lab", "rest", "rooms_api", "controllers", "comments", "nest"];

/// Runs every test, also after a failure, and ends with the sum.
///
/// # Errors
///
/// When something is missing or a test failed.
pub(crate) fn run() -> Result {
    setup::run_all()?;
    let mut tally = Tally::default();
    let mut workspace = cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"])?;
    let workspace = tally::run("cargo test", &mut workspace, &mut tally)?;
    // Not left to `cargo test`, which builds an example that has tests as a test only.
    let examples = ["build", "--workspace", "--examples", "--all-features"];
    step::run("examples", &mut cargo(&examples)?)?;
    let clients = tally::run("node --test", &mut clients()?, &mut tally)?;
    if tally.skipped > 0 {
        println!("not run: {}", tally.skipped);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    match workspace && clients {
        true => Ok(()),
        false => Err("a test run failed".into()),
    }
}

/// The tests of `tests/clients`, by name: no test file at all is a failure, not a success.
fn clients() -> Result<Command> {
    let folder = root()?.join(CLIENTS);
    let mut files = Vec::new();
    for file in fs::read_dir(&folder)? {
        let name = file?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") {
            files.push(name);
        }
    }
    if files.is_empty() {
        return Err(format!("{CLIENTS} holds no *.test.mjs").into());
    }
    files.sort();
    let mut node = command("node", &["--test", "--test-reporter=spec"])?;
    node.args(files).current_dir(folder);
    for example in EXAMPLES {
        let name = format!("NARTHEX_{}", example.to_uppercase());
        node.env(name, target()?.join("debug/examples").join(example));
    }
    Ok(node)
}
