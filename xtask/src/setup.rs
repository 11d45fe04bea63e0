//! What the tests need besides cargo: Debian packages and npm packages.

use std::{env, fs, path::Path, process::Command};

use crate::{
    Result,
    step::{command, root, run},
};

/// Folder of the real clients, below the root.
pub(crate) const CLIENTS: &str = "tests/clients";

/// Programs that must be there, and the Debian package that brings each.
const PROGRAMS: [(&str, &str); 4] =
    [("node", "nodejs"), ("npm", "npm"), ("chromium", "chromium"), ("openssl", "openssl")];

/// Installs what is missing.
///
/// # Errors
///
/// When something is missing and cannot be installed; the message says how to install it.
pub(crate) fn run_all() -> Result {
    debian(&PROGRAMS)?;
    npm(CLIENTS)
}

/// Makes sure that programs are there, each from its Debian package.
///
/// # Errors
///
/// As [`run_all`].
pub(crate) fn debian(programs: &[(&str, &str)]) -> Result {
    let missing: Vec<&str> =
        programs.iter().filter(|(program, _)| !installed(program)).map(|&(_, package)| package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !is_root() {
        return Err(format!("{packages} is needed: apt-get install -y {packages}").into());
    }
    run("apt-get update", &mut command("apt-get", &["update"])?)?;
    let mut install = command("apt-get", &["install", "-y"])?;
    install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive");
    run(&format!("apt-get install {packages}"), &mut install)
}

fn installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|user| user.stdout.trim_ascii() == b"0")
}

/// Installs the npm packages of `folder`, below the root, where that has not been done.
///
/// # Errors
///
/// When npm does not succeed.
pub(crate) fn npm(folder: &str) -> Result {
    let folder = root()?.join(folder);
    if up_to_date(&folder) {
        return Ok(());
    }
    let mut install = command("npm", &["ci", "--no-audit", "--no-fund"])?;
    run("npm ci", install.current_dir(folder))
}

/// npm leaves a lock file of its own in what it installed.
fn up_to_date(folder: &Path) -> bool {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|file| file.modified());
    match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Ok(wanted), Ok(installed)) => installed >= wanted,
        _ => false,
    }
}
